"""A module that SCons makes, with sources from a generator that SCons builds first."""

import pytest

from tests.kernels.built import Built, built, expected_modules

each_kernel = pytest.mark.parametrize("build", built(), ids=lambda build: build.release)


@each_kernel
def test_the_module(build: Built) -> None:
    assert list(build.modules) == list(expected_modules())
    assert build.modules["vrouter"]["vermagic"].startswith(f"{build.release} ")


@each_kernel
def test_the_generated_part_is_in_it(build: Built) -> None:
    content = (build.folder / "vrouter.ko").read_bytes()
    assert all(b"\0" + name + b"\0" in content for name in (b"interface", b"route", b"nexthop"))


@each_kernel
def test_commands_for_editors(build: Built) -> None:
    files = [command["file"] for command in build.compile_commands]
    folder = "tests/kernels/scons/vrouter"
    assert files == [f"{folder}/generated/messages.c", f"{folder}/main.c"]


@each_kernel
def test_the_log_says_that_it_was_built_as_a_whole(build: Built) -> None:
    assert build.how == "Built as a whole: the driver scons can't be asked for a plan; dkms and kbuild can"
