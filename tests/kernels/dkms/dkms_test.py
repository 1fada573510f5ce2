"""Third-party modules from DKMS packages: what was built, and what editors and other modules get."""

import pytest

from tests.kernels.built import Built, built, expected_modules

each_kernel = pytest.mark.parametrize("build", built(), ids=lambda build: build.release)


def test_one_kernel_of_each_line() -> None:
    lines = [build.release.split(".")[:2] for build in built()]
    assert lines and len(lines) == len({tuple(line) for line in lines})


@each_kernel
def test_the_modules_and_whom_they_need(build: Built) -> None:
    # The kernel's own name of a module has no "-".
    ours = {name.replace("-", "_"): needed for name, needed in expected_modules().items()}
    found = {name: [other for other in module["depends"] if other in ours] for name, module in build.modules.items()}
    assert found == ours
    for name in expected_modules():
        module = build.modules[name.replace("-", "_")]
        assert module["vermagic"].startswith(f"{build.release} ")
        assert (build.folder / f"{name}.ko").stat().st_size == module["size"]
        assert (build.folder / f"{name}.ko.debug").stat().st_size > module["size"]


@each_kernel
def test_what_the_modules_export(build: Built) -> None:
    """Module.symvers has the exports of all the folders that the build made modules in."""
    needed = {name for names in expected_modules().values() for name in names}
    assert needed <= set(build.exports.values())
    assert len(build.exports) == sum(module["exports"] for module in build.modules.values())


@each_kernel
def test_commands_for_editors(build: Built) -> None:
    """Each file is where the package has it, and a path of the root that no one else knows isn't named."""
    commands = build.compile_commands
    assert len(commands) >= len(expected_modules())
    for command in commands:
        assert command["file"].startswith("usr/src/")
        assert "-c" in command["arguments"]
        assert "/build/" not in " ".join([command["directory"], *command["arguments"]])


@each_kernel
def test_the_log_says_whether_objects_had_actions_of_their_own(build: Built) -> None:
    if {"apfs", "ddcci"} & set(expected_modules()):
        count = len(build.compile_commands)
        assert build.how == f"Objects compiled by actions of their own: {count} of {count}."
    else:
        assert build.how == "Built as a whole: `package_c_files` names none of the package's C files"
