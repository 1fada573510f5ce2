"""A script that isn't Python is told in one line, before anything is started."""

from pathlib import Path

from tests.vm.launch.started import started


def test_a_syntax_error(tmp_path: Path) -> None:
    with started(tmp_path, terminal=False) as program:
        assert program.wait() == 1
        program.assert_nothing_left()
    assert program.output == "error: tests/vm/launch/syntax_error.py:2: expected ':'; correct the script\n"
    assert list(program.outputs.iterdir()) == []
