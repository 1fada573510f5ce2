"""log.html: one run of a VM test, for a person to read."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tools.report.events import Console, Line, Note, Output, Run, Step, walk
from tools.report.page import page
from tools.report.text import clip, duration, escape, plural

# Of one output, of what belongs on one line, of the output that is repeated at the top, in characters.
_OUTPUT_LIMIT = 100_000
_LINE_LIMIT = 2_000
_FAILING_OUTPUT_LIMIT = 1_500
# Lines of the trace that stand at the top; the rest is in place among the steps.
_TRACE_LIMIT = 150
# Of all outputs together; those beyond are cut to _LINE_LIMIT.
_OUTPUTS_LIMIT = 10_000_000
# Browsers lay out only the blocks that are seen, so blocks of this many lines keep long consoles quick.
_BLOCK = 250
# Console lines with nothing in between: so few stand open, so many in a step that failed.
_SHORT = 4
_SHORT_IN_FAILING = 400
# The sections of a run that passed stand open when there are no more steps in all.
_FEW_STEPS = 60
_COLOURS = 6


def log_html(run: Run, facts: Mapping[str, Any]) -> str:
    """The page; `facts` are what the script recorded."""
    state = "green" if run.passed else "red"
    return page(f"{'Passed' if run.passed else 'Failed'}: {run.name}", _Body(run, facts).text(), "log", state)


class _Body:
    def __init__(self, run: Run, facts: Mapping[str, Any]) -> None:
        self._run = run
        self._recorded = facts
        self._failing = {step.id for step in run.failing()}
        self._sections_open = run.passed and sum(1 for _ in walk(run.root)) <= _FEW_STEPS
        self._colours = {name: f"m{number % _COLOURS}" for number, name in enumerate(run.machines)}
        self._outputs_left = _OUTPUTS_LIMIT
        self._several = len(run.machines) > 1

    def text(self) -> str:
        run = self._run
        gutter = 8 + (max(map(len, run.machines)) + 1 if self._several else 0)
        return "".join(
            [
                f'<header class="{"passed" if run.passed else "failed"}">\n',
                self._verdict(),
                f"<h1>{_breakable(run.name)}</h1>\n",
                "" if run.passed else self._failure(),
                self._facts(),
                "</header>\n",
                self._toolbar(),
                f'<main style="--gutter:{gutter}ch">\n<div class="head"><h2>Steps</h2>{self._axis()}</div>\n',
                *self._items(run.root),
                "</main>\n",
                self._footer(),
            ]
        )

    def _verdict(self) -> str:
        run = self._run
        if run.passed:
            return f'<p class="verdict"><b>Passed</b> in {duration(run.root.seconds)}</p>\n'
        kind = escape(run.kind_of_failure.replace("-", " "))
        return f'<p class="verdict"><b>Failed</b> after {duration(run.root.seconds)}: {kind}</p>\n'

    def _machine(self, name: str) -> str:
        if not name or not self._several:
            return ""
        return f'<span class="machine {self._colours.get(name, "m0")}">{escape(name)}</span>'

    def _facts(self) -> str:
        run = self._run
        kernels = [
            f"{self._machine(name)} <code>{escape(release or 'unknown')}</code>"
            for name, release in run.machines.items()
        ]
        boot = run.boot_seconds()
        accel = escape(run.accel.upper() or "unknown")
        facts = {
            "Kernels" if self._several else "Kernel": " ".join(kernels),
            "Accelerator": f"<b>{accel}</b> {escape(run.accel_reason)}",
            "Boot": duration(boot) if boot is not None else "",
            "Total": duration(run.root.seconds),
            "Date": f'<time datetime="{escape(run.date)}">{escape(_readable(run.date))}</time>' if run.date else "",
        }
        for name, value in self._recorded.items():
            if value is not None:
                facts[escape(name.replace("_", " ").capitalize())] = _line(str(value))
        cells = [f"<div><dt>{name}</dt><dd>{value}</dd></div>\n" for name, value in facts.items() if value]
        return f'<dl class="facts">\n{"".join(cells)}</dl>\n'

    def _footer(self) -> str:
        names = [*(f"serial-{name}.log" for name in self._run.machines), "junit.xml", "events.jsonl", "result.json"]
        links = ", ".join(f'<a href="{quote(name, safe="")}">{escape(name)}</a>' for name in names)
        return f"<footer>Beside this page: {links}</footer>\n"

    def _failure(self) -> str:
        """What a person wants to know first: why, in which step, and what the kernel said."""
        run = self._run
        failing = run.failing()
        parts = [f'<section class="failure" aria-label="Why it failed">\n<p class="reason">{_line(run.reason)}</p>\n']
        if run.place:
            parts.append(f'<p class="place"><code>{_line(run.place)}</code></p>\n')
        if failing:
            step = failing[-1]
            outer = "".join(f"{_line(inner.title or inner.what)} <i>&rsaquo;</i> " for inner in failing[:-1])
            parts.append(
                f'<p class="where">{outer}<a href="#step-{step.id}">{_title(step)}</a> '
                f"{self._machine(step.machine)} <span>at {step.start:.2f} s, {duration(step.seconds)}</span></p>\n"
            )
            printed = _printed(step)
            for text in (step.details.strip(), printed):
                if text and text not in run.reason and (text is printed or text not in printed):
                    parts.append(f"<pre>{escape(_end_of(text))}</pre>\n")
        if run.trace:
            lines = "".join(f"<span>{_line(line)}\n</span>" for line in run.trace[:_TRACE_LIMIT])
            if len(run.trace) > _TRACE_LIMIT:
                lines += f"<span>[{plural(len(run.trace) - _TRACE_LIMIT, 'line')} more below]\n</span>"
            of = f" of {escape(run.trace_machine)}" if self._several else ""
            parts.append(
                f"<details class=trace open><summary>Console{of} "
                f"<small>{plural(len(run.trace), 'line')}</small></summary>\n<pre>{lines}</pre></details>\n"
            )
        return "".join([*parts, "</section>\n"])

    def _toolbar(self) -> str:
        """Switches work by CSS alone; what needs the script is hidden until it has run."""
        switches = [("console", "Console"), ("outputs", "Outputs")]
        boxes = [_switch(name, label) for name, label in switches]
        if self._several:
            for colour in dict.fromkeys(self._colours.values()):
                names = ", ".join(name for name, own in self._colours.items() if own == colour)
                boxes.append(_switch(f"machine-{colour}", names, colour))
        return (
            '<div class="toolbar" role="group" aria-label="What is shown">\n'
            '<form role="search" class="scripted"><label class="hidden" for="query">Search</label>'
            '<input id="query" type="search" placeholder="Search  /" autocomplete="off" spellcheck="false" '
            'aria-keyshortcuts="/"><output for="query" aria-live="polite"></output>'
            '<button name="previous" title="Previous (Shift+Enter)" aria-label="Previous match">↑</button>'
            '<button name="next" title="Next (Enter)" aria-label="Next match">↓</button>'
            '<label><input type="checkbox" id="only"> Only matches</label></form>\n'
            f'<div class="switches">{"".join(boxes)}</div>\n'
            '<div class="scripted"><button type="button" id="open-all">Open all</button>'
            '<button type="button" id="close-all">Close all</button></div>\n</div>\n'
        )

    def _axis(self) -> str:
        total = self._run.root.seconds
        ticks = "".join(f'<span style="left:{_percent(t, total)}">{t:g} s</span>' for t in _ticks(total))
        return f'<div class="axis" aria-hidden="true">{ticks}</div>'

    def _items(self, step: Step) -> Iterator[str]:
        """What happened in a step, in order; neighbouring steps make a list."""
        in_list = False
        for item in step.items:
            if isinstance(item, Step) != in_list:
                in_list = not in_list
                yield "<ol class=steps>\n" if in_list else "</ol>\n"
            if isinstance(item, Step):
                yield from self._step(item)
            elif isinstance(item, Output):
                yield self._lines(item.text, "output")
            elif isinstance(item, Note):
                yield f'<p class="note"><span class="line" data-t="{item.t:.2f}">{_line(item.text)}</span></p>\n'
            else:
                yield from self._console(item, _SHORT_IN_FAILING if step.id in self._failing else _SHORT)
        if in_list:
            yield "</ol>\n"

    def _step(self, step: Step) -> Iterator[str]:
        state = "unfinished" if step.ok is None else "ok" if step.ok else "bad"
        total = self._run.root.seconds
        name = f"step-{step.id}"
        row = (
            f'<span class="title line">{_title(step)}</span>{self._machine(step.machine)}'
            f'<span class="seconds">{duration(step.seconds)}</span>'
            f'<span class="track {self._colours.get(step.machine, "")}"><i style="left:{_percent(step.start, total)};'
            f'width:{_percent(step.seconds, total)}"></i></span>'
        )
        signs = {"ok": "passed", "bad": "failed", "unfinished": "did not end"}
        row = f'<span class="sign" role="img" aria-label="{signs[state]}"></span>{row}'
        kind = "section" if step.what == "section" else "act"
        yield f'<li class="step {state} {kind}" id="{name}">'
        body = [*self._message(step), *self._items(step)]
        if body:
            opened = step.id in self._failing or (self._sections_open and kind == "section")
            yield f"<details{' open' if opened else ''}><summary>{row}</summary>\n<div class=body>\n"
            yield from body
            yield "</div></details>"
        else:
            yield f'<div class="row">{row}</div>'
        yield f'<a class="permalink" href="#{name}" aria-label="Link to this step">#</a></li>\n'

    def _message(self, step: Step) -> Iterator[str]:
        """Why the step failed, unless a step inside or its own output says the same."""
        if step.message and not any(step.message == inner.message for inner in step.steps):
            yield f'<p class="message line">{_line(step.message)}</p>\n'
        repeated = any(step.details == inner.details for inner in step.steps)
        if step.details and not repeated and step.details.strip() not in _printed(step):
            yield self._lines(step.details, "details")

    def _lines(self, text: str, kind: str) -> str:
        """Text of several lines, cut in the middle if it's long."""
        limit = _OUTPUT_LIMIT if self._outputs_left > 0 else _LINE_LIMIT
        head, left_out, tail = clip(text, limit)
        self._outputs_left -= len(head) + len(tail)
        gap = f'<p class="gap">{plural(left_out, "character")} left out</p>\n' if left_out else ""
        return gap.join(
            f"<pre class={kind}>"
            + "".join(f"<span class=line>{escape(line)}\n</span>" for line in part.rstrip("\n").split("\n"))
            + "</pre>\n"
            for part in ([head, tail] if left_out else [head])
        )

    def _console(self, console: Console, short: int) -> Iterator[str]:
        """Up to _SHORT lines as they are, more to be folded, and open up to `short`."""
        first, last = console.first, list(console.last)
        shown = [*first, *last]
        count = len(shown) + console.left_out
        if count <= _SHORT:
            yield from self._blocks(shown)
            return
        trouble = next((line for line in shown if line.trouble), None)
        machines = " ".join(map(self._machine, dict.fromkeys(line.machine for line in shown)))
        yield (
            f'<details class="console{" trouble" if trouble else ""}"{" open" if count <= short else ""}>'
            f"<summary>{machines} <span>{plural(count, 'console line')}</span> "
            f"<code>{escape((trouble or shown[0]).text[:120])}</code></summary>\n"
        )
        yield from self._blocks(first)
        if console.left_out:
            logs = ", ".join(f"serial-{name}.log" for name in self._run.machines)
            yield f'<p class="gap">{plural(console.left_out, "line")} left out; the whole is in {escape(logs)}</p>\n'
        yield from self._blocks(last)
        yield "</details>\n"

    def _blocks(self, lines: list[Line]) -> Iterator[str]:
        for start in range(0, len(lines), _BLOCK):
            block = lines[start : start + _BLOCK]
            yield f'<pre class="console" style="--lines:{len(block)}">'
            for line in block:
                trouble = " trouble" if line.trouble else ""
                colour = self._colours.get(line.machine, "m0")
                time = f"{line.t:.2f} {line.machine}" if self._several else f"{line.t:.2f}"
                yield f'<span class="line {colour}{trouble}" data-t="{escape(time)}">{_line(line.text)}\n</span>'
            yield "</pre>\n"


def _switch(name: str, label: str, colour: str = "") -> str:
    box = f'<input type="checkbox" id="show-{name}" checked>'
    return f'<label class="{colour}">{box} {escape(label)}</label>'


def _title(step: Step) -> str:
    if step.what == "section":
        return _line(step.title)
    return f"<code>{_line(step.title or step.what)}</code>"


def _printed(step: Step) -> str:
    """What the step's own command printed."""
    return "".join(item.text for item in step.items if isinstance(item, Output)).strip()


def _line(text: str) -> str:
    """What belongs on one line, escaped, and cut in the middle if it's long."""
    head, left_out, tail = clip(text, _LINE_LIMIT)
    return escape(f"{head} [{plural(left_out, 'character')} left out] {tail}" if left_out else head)


def _breakable(label: str) -> str:
    """A label that a narrow window may break behind its slashes and colons."""
    return escape(label).replace("/", "/<wbr>").replace(":", "<wbr>:")


def _end_of(text: str) -> str:
    if len(text) <= _FAILING_OUTPUT_LIMIT:
        return text
    end = text[-_FAILING_OUTPUT_LIMIT:]
    return "[…]\n" + end[end.find("\n") + 1 :]


def _readable(date: str) -> str:
    return date.replace("T", " ").replace("Z", " UTC")


def _percent(part: float, total: float) -> str:
    return f"{100 * part / total:.2f}%" if total > 0 else "0%"


def _ticks(total: float) -> list[float]:
    """Three to five round times between 0 and the total."""
    if total <= 0:
        return []
    step = next((width for width in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)
                 if total / width <= 5), 3600.0)  # fmt: skip
    return [round(step * number, 2) for number in range(int(total / step) + 1)]
