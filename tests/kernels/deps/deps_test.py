"""A module that uses another source's symbol is built against it, and says that it depends on it."""

import pytest

from tests.kernels.built import Built, built, expected_modules


@pytest.mark.parametrize("build", built(), ids=lambda build: build.release)
def test_the_dependency_is_named(build: Built) -> None:
    found = {name: module["depends"] for name, module in build.modules.items()}
    assert found == expected_modules()
