"""Which patches were applied to which kernel's build."""

import pytest

from tests.kernels.built import Built, built


def test_lines_on_both_sides_of_the_ranges() -> None:
    lines = {".".join(build.release.split(".")[:2]) for build in built()}
    assert {"5.10", "6.1", "6.12"} <= lines


@pytest.mark.parametrize("build", built(), ids=lambda build: build.release)
def test_patches_of_the_kernels_line(build: Built) -> None:
    expected = ["all", "old"] if build.release.startswith("5.10.") else ["all", "new"]
    assert build.modules["patched"]["modinfo"]["patch"] == expected
