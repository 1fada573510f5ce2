"""Kernels whose image is gone are found in what `bazel query` says."""

from pathlib import Path
from typing import Any

import pytest

from tools.lib.errors import UserError
from tools.report.skipped import skipped_images, skipped_kernels


def _rule(name: str, kind: str, **attributes: str | list[str]) -> dict[str, Any]:
    entries = [
        {"name": key, "stringListValue": value} if isinstance(value, list) else {"name": key, "stringValue": value}
        for key, value in attributes.items()
    ]
    return {"type": "RULE", "rule": {"name": name, "ruleClass": kind, "attribute": entries}}


def test_a_package_that_was_dropped_and_an_image_that_the_catalogue_lacks() -> None:
    here, dropped = "@kernel.linux-image-1.a6b5//:package", "@kernel.linux-image-2.c7d8//:package"
    targets = [
        _rule("//kernels:1.image", "kernel_image", release="1", packages=[here], target_compatible_with=[]),
        _rule("//kernels:2.image", "kernel_image", release="2", packages=[dropped]),
        _rule("//kernels:3.image", "kernel_image", release="3", target_compatible_with=["@platforms//:incompatible"]),
        _rule(here, "filegroup"),
        _rule(dropped, "filegroup", target_compatible_with=["@@platforms//:incompatible"]),
        {"type": "SOURCE_FILE", "sourceFile": {"name": "//kernels:x"}},
    ]
    assert skipped_images(targets) == {
        "2": "no mirror has its image any more: linux-image-2",
        "3": "no mirror has its image any more",
    }


def test_nothing_is_asked_when_all_were_tested() -> None:
    assert skipped_kernels(Path("/nonexistent"), []) == {}


def test_a_query_that_fails_is_no_answer(tmp_path: Path) -> None:
    launcher = tmp_path / "bazelw"
    launcher.write_text("#!/bin/sh\necho 'ERROR: no such target' >&2\nexit 7\n")
    launcher.chmod(0o755)
    with pytest.raises(UserError, match="query .* failed: ERROR: no such target"):
        skipped_kernels(tmp_path, ["6.12.107+deb13-amd64"])
