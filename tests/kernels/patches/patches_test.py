"""Which patches were applied to which kernel's build."""

import pytest

from tests.kernels.built import Built, built


def test_lines_on_both_sides_of_the_ranges() -> None:
    lines = {".".join(build.release.split(".")[:2]) for build in built()}
    assert {"5.10", "6.1", "6.12"} <= lines


@pytest.mark.parametrize("build", built(), ids=lambda build: build.release)
def test_patches_of_the_kernels_line(build: Built) -> None:
    is_old = build.release.startswith("5.10.")
    modinfo = build.modules["patched"]["modinfo"]
    assert modinfo["patch"] == ["all", "old" if is_old else "new"]
    assert modinfo["part"] == ["patched Kbuild" if is_old else "patched header"]
