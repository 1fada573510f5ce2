# The language server knows nothing of these names: mypy and ruff leave scripts to the driver.
with section("commands"):
    assert vm.succeed("echo one", "echo two") == "one\ntwo\n"
