"""A test's script: what it can use, how it is run, and where in it something went wrong."""

import ast
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from tools.lib.errors import UserError
from tools.vm.events import EventLog
from tools.vm.failure import Failure, TestFailed
from tools.vm.machine import Machine
from tools.vm.plan import Script

# The names that a script finds, for editors and type checkers; further machines are in `machines`, too.
vm: Machine
machines: dict[str, Machine]
section: Callable[[str], AbstractContextManager[None]]
record: Callable[[str, Any], None]
log: Callable[[object], None]
start_all: Callable[[], None]


class Source:
    """A script's text, compiled. Raises UserError `FILE:LINE: ...` if it isn't Python."""

    def __init__(self, script: Script) -> None:
        self.display = script.display
        try:
            self.text = script.path.read_text(encoding="utf-8")
            self._tree = ast.parse(self.text, script.display)
            self.code: CodeType = compile(self._tree, script.display, "exec")
        except OSError as error:
            raise UserError(f"{script.display}: cannot read the script: {error.strerror}") from error
        except SyntaxError as error:
            # The interpreter's word is enough; a line of a file that isn't UTF-8 has no number.
            line = f":{error.lineno}" if error.lineno else ""
            raise UserError(f"{script.display}{line}: {error.msg}; correct the script") from error
        except ValueError as error:
            raise UserError(f"{script.display}: not a Python script: {error}") from error
        if script.root and script.root not in sys.path:
            sys.path.append(script.root)

    def statement(self, line: int) -> str:
        """The text of the statement that a line is part of."""
        inner: ast.stmt | None = None
        for node in ast.walk(self._tree):
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
                inner = node if inner is None or node.lineno >= inner.lineno else inner
        if inner is None:
            return ""
        if isinstance(inner, ast.With | ast.For | ast.If | ast.While | ast.Try | ast.FunctionDef | ast.ClassDef):
            # Of a statement with a body only its head.
            return self.text.splitlines()[line - 1].strip()
        return ast.get_source_segment(self.text, inner) or ""


def script_globals(
    machines: Mapping[str, Machine],
    events: EventLog,
    record: Callable[[str, Any], None],
    start_all: Callable[[], None],
) -> dict[str, Any]:
    """The names that a script can use without importing anything."""

    def section(title: str) -> AbstractContextManager[None]:
        """A part of the test, with a title in the log; sections may be nested."""

        @contextmanager
        def inside() -> Iterator[None]:
            with events.step("section", title):
                yield

        return inside()

    return {
        "__name__": "__main__",
        **machines,
        "machines": dict(machines),
        "section": section,
        "record": record,
        "log": lambda text: events.log(str(text)),
        "start_all": start_all,
    }


def run_script(source: Source, names: dict[str, Any]) -> Failure | None:
    """Run a script to its end; why it failed, or None. TestStopped comes through."""
    sys.modules["__main__"].__dict__.setdefault("__name__", "__main__")
    try:
        exec(source.code, names)
    except TestFailed as error:
        place = place_of(source, error.__traceback__)
        reason = error.failure.reason
        if error.failure.kind == "script":
            # What the script got wrong is told as all its mistakes are.
            reason = f"{_where(source, error.__traceback__)}: {reason}"
        return replace(error.failure, reason=reason, place=place)
    except SystemExit as error:
        # Even by 0: what a script hasn't come to, it hasn't tested.
        code = 0 if error.code is None else error.code
        how = f"by exit code {code}" if isinstance(code, int) else f"and said: {code}"
        reason = f"{_where(source, error.__traceback__)}: the script ended itself {how}"
        where = place_of(source, error.__traceback__)
        return Failure("script", f"{reason}; it passes when it comes to its end".replace("\n", " "), place=where)
    except Exception as error:
        return script_failure(source, error)
    return None


def script_failure(source: Source, error: Exception) -> Failure:
    """The failure that an exception of a script is: an assertion, or a mistake."""
    frames = _frames(source, error.__traceback__)
    place = place_of(source, error.__traceback__)
    where = _where(source, error.__traceback__)
    said = str(error)
    if isinstance(error, AssertionError):
        text = " ".join(source.statement(frames[-1][1]).split()) if frames and frames[-1][0] == source.display else ""
        reason = ": ".join(filter(None, [where, text or "assert", said]))
        return Failure("assert", reason.partition("\n")[0], details=said if "\n" in said else "", place=place)
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    if isinstance(error, SyntaxError) and error.filename:
        # In a file that the script imports.
        where, said = f"{_display(error.filename)}:{error.lineno}", error.msg
    elif isinstance(error, ModuleNotFoundError):
        said += "; a file of the workspace is named in the test's `srcs`, and imported by its path"
    lines = traceback.format_exception(type(error), error, _script_part(source, error.__traceback__))
    return Failure("script", f"{where}: {kind}{said}".partition("\n")[0], details="".join(lines), place=place)


def place_of(source: Source, trace: TracebackType | None) -> str:
    """Where in the script it happened, `FILE:LINE: text`; its innermost line."""
    own = [line for name, line in _frames(source, trace) if name == source.display]
    return f"{source.display}:{own[-1]}: {source.statement(own[-1])}" if own else ""


def _where(source: Source, trace: TracebackType | None) -> str:
    """FILE:LINE of the innermost line of the script's own, or of what it imports."""
    frames = _frames(source, trace)
    return f"{frames[-1][0]}:{frames[-1][1]}" if frames else source.display


def _frames(source: Source, trace: TracebackType | None) -> list[tuple[str, int]]:
    """File and line of the frames that belong to the script or to what it imports, outermost first."""
    frames = []
    for frame, line in traceback.walk_tb(trace):
        name = frame.f_code.co_filename
        if name == source.display or _imported(name):
            frames.append((_display(name), line))
    return frames


def _imported(name: str) -> bool:
    return any(name.startswith(f"{root}/") for root in sys.path if root and root.startswith("/forge/vm/"))


def _display(name: str) -> str:
    for root in sys.path:
        if root.startswith("/forge/vm/") and name.startswith(f"{root}/"):
            return str(Path(name).relative_to(root))
    return name


def _script_part(source: Source, trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the script on, without the driver's frames around it."""
    while trace and trace.tb_frame.f_code.co_filename != source.display:
        trace = trace.tb_next
    return trace
