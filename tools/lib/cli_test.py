"""Exit codes and what is said."""

from collections.abc import Callable, Sequence

import pytest

from tools.lib import cli
from tools.lib.errors import UserError


def _raising(error: BaseException) -> Callable[[Sequence[str]], int]:
    def main(arguments: Sequence[str]) -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("file.yaml:3: expected a list"), 1, "error: file.yaml:3: expected a list\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_expected_ends(error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(_raising(error))
    assert end.value.code == code
    assert capsys.readouterr().err == said


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        cli.run(_raising(ZeroDivisionError()))
