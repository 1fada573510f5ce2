"""Scripts: what is wrong with one is said with file and line."""

from pathlib import Path
from typing import Any

import pytest

from tools.lib.errors import UserError
from tools.vm.failure import Failure, TestFailed, TestStopped
from tools.vm.plan import Script
from tools.vm.script import Source, run_script


def source(tmp_path: Path, text: str) -> Source:
    """A script with this text."""
    path = tmp_path / "script.py"
    path.write_text(text)
    return Source(Script(path, "tests/x.py", str(tmp_path)))


def fails() -> None:
    """What a machine's method does."""
    raise TestFailed(Failure("command", "vm: `false` ended with exit code 1", "vm"))


def failure(tmp_path: Path, text: str, **names: Any) -> Failure:
    """How a script fails."""
    found = run_script(source(tmp_path, text), names)
    assert found
    return found


def test_a_script_that_ends_has_passed(tmp_path: Path) -> None:
    assert run_script(source(tmp_path, "assert x == 1"), {"x": 1}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nif x\n", "tests/x.py:2: expected ':'; correct the script"),
        ("x = (\n", r"tests/x.py:1: '\(' was never closed"),
        ("\treturn\n", "tests/x.py:1: unexpected indent"),
        ("return\n", "tests/x.py:1: 'return' outside function"),
        ("x = 1\0", "tests/x.py.*null bytes"),
    ],
)
def test_a_syntax_error_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        source(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_script_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    with pytest.raises(UserError, match="tests/x.py: cannot read the script: No such file"):
        Source(Script(path, "tests/x.py"))
    path.write_bytes(b"x = '\xff'\n")
    with pytest.raises(UserError, match="tests/x.py: not a Python script: .*utf-8"):
        Source(Script(path, "tests/x.py"))


def test_an_assertion_is_told_with_its_text(tmp_path: Path) -> None:
    found = failure(tmp_path, "x = 1\nassert (x ==\n        2)\n")
    assert (found.kind, found.reason) == ("assert", "tests/x.py:2: assert (x == 2)")
    found = failure(tmp_path, "def check():\n    assert 0, 'it is off'\n\nwith open('/dev/null'):\n    check()\n")
    assert found.reason == "tests/x.py:2: assert 0, 'it is off': it is off"


def test_an_exception_is_told_with_its_line(tmp_path: Path) -> None:
    found = failure(tmp_path, "x = 1\nprint(y)\n")
    assert (found.kind, found.reason) == ("script", "tests/x.py:2: NameError: name 'y' is not defined")
    assert found.details.startswith('Traceback (most recent call last):\n  File "tests/x.py", line 2, in <module>\n')
    assert "tools/vm" not in found.details
    assert found.place == "tests/x.py:2: print(y)"


def test_what_a_machine_raises_is_the_failure_with_its_place(tmp_path: Path) -> None:
    found = failure(tmp_path, "x = 1\nif x:\n    fails()\n", fails=fails)
    assert (found.kind, found.reason) == ("command", "vm: `false` ended with exit code 1")
    assert found.place == "tests/x.py:3: fails()"
    assert run_script(source(tmp_path, "try:\n    fails()\nexcept Exception:\n    pass\n"), {"fails": fails}) is None


def test_a_stop_is_not_for_a_script_to_catch(tmp_path: Path) -> None:
    def stop() -> None:
        raise TestStopped(Failure("oops", "vm: BUG"))

    with pytest.raises(TestStopped):
        run_script(source(tmp_path, "try:\n    stop()\nexcept Exception:\n    pass\n"), {"stop": stop})


@pytest.mark.parametrize(
    ("code", "how"),
    [("", "by exit code 0"), ("0", "by exit code 0"), ("3", "by exit code 3"), ("'one\\ntwo'", "and said: one two")],
)
def test_a_script_that_ends_itself_has_failed(tmp_path: Path, code: str, how: str) -> None:
    found = failure(tmp_path, f"import sys\nsys.exit({code})\n")
    reason = f"tests/x.py:2: the script ended itself {how}; it passes when it comes to its end"
    assert (found.kind, found.reason) == ("script", reason)


def test_what_cannot_be_imported(tmp_path: Path) -> None:
    found = failure(tmp_path, "x = 1\nfrom tests import none_such\n")
    assert found.reason.startswith("tests/x.py:2: ")
    found = failure(tmp_path, "import none_such.at_all\n")
    assert found.reason.startswith("tests/x.py:1: ModuleNotFoundError: No module named 'none_such'; a file of the work")
    (tmp_path / "wrong_inside.py").write_text("x = 1\ny = (\n")
    found = failure(tmp_path, "import wrong_inside\n")
    assert found.reason.endswith("wrong_inside.py:2: SyntaxError: '(' was never closed")
    assert found.place == "tests/x.py:1: import wrong_inside"


def test_a_call_that_can_not_be_is_told_with_its_line(tmp_path: Path) -> None:
    def insmod() -> None:
        raise TestFailed(Failure("script", "vm: it has no module 'x.ko'; it has: vrouter.ko", "vm"))

    found = failure(tmp_path, "x = 1\ninsmod()\n", insmod=insmod)
    assert found.reason == "tests/x.py:2: vm: it has no module 'x.ko'; it has: vrouter.ko"


def test_a_script_imports_from_its_root(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("def f(x):\n    return x + 1\n")
    assert run_script(source(tmp_path, "from beside_it import f\nassert f(1) == 2\n"), {}) is None


def test_a_mistake_of_the_user_s_needs_no_name_of_an_exception(tmp_path: Path) -> None:
    def record() -> None:
        raise UserError("record('x', ...): no")

    assert failure(tmp_path, "record()\n", record=record).reason == "tests/x.py:1: record('x', ...): no"
