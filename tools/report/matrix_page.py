"""matrix.html: every kernel of the catalogue, and what came of it."""

from collections.abc import Sequence
from urllib.parse import quote

from tools.report.kernel_rows import STATES, Row, counts
from tools.report.page import page
from tools.report.text import duration, escape, plural

_WORDS = {"green": "passed", "red": "failed", "yellow": "not testable", "grey": "not run"}
_BUILT = {"yes": "built", "no": "not built", "failed": "doesn't build", "missing": "headers gone"}
# So many red kernels are listed at the top.
_FAILING = 8
_NONE = "\N{EN DASH}"
_COLUMNS = ("Kernel", "Test", "Module", "Load", "Traffic", "Boot", "Total", "Last green")


def matrix_html(rows: Sequence[Row], now: str) -> str:
    """The page. `now` is its date, ISO 8601."""
    number = counts(rows)
    state = "red" if number["red"] else "green" if number["green"] else "grey"
    title = f"{number['green']} of {plural(len(rows), 'kernel')} passed"
    body = [
        "<header>\n",
        f'<h1>{escape(title)}</h1>\n<p class="date">The matrix of <code>vrouter.ko</code> on '
        f'<time datetime="{escape(now)}">{escape(_readable(now))}</time></p>\n',
        _proportions(number, len(rows)),
        _failing(rows),
        "</header>\n",
        _overview(rows),
        _filters(rows, number),
        _table(rows),
    ]
    return page(title, "".join(body), "matrix", state)


def _readable(date: str) -> str:
    return date[:16].replace("T", " ") + (" UTC" if date.endswith("Z") else "")


def _name(row: Row) -> str:
    return f"kernel-{quote(row.release, safe='+~')}"


def _proportions(number: dict[str, int], total: int) -> str:
    parts = "".join(f'<i class="{state}" style="flex-grow:{number[state]}"></i>' for state in STATES if number[state])
    return f'<div class="proportions" aria-hidden="true">{parts}</div>\n' if total else ""


def _failing(rows: Sequence[Row]) -> str:
    """The red ones first, for who only wants to know what to mend."""
    red = [row for row in rows if row.state == "red"]
    if not red:
        return ""
    shown = "".join(
        f'<li><a href="#{_name(row)}">{escape(row.release)}</a> <span>since {escape(row.red_since[:10])}</span> '
        f"{escape(row.note)} {_linked(row, 'log') if row.log else ''}</li>\n"
        for row in red[:_FAILING]
    )
    more = f"<li>and {len(red) - _FAILING} more</li>\n" if len(red) > _FAILING else ""
    return f'<section class="failing" aria-label="Failed">\n<ul>\n{shown}{more}</ul>\n</section>\n'


def _overview(rows: Sequence[Row]) -> str:
    """Lines against flavours; each kernel is a square, the newest last."""
    lines = list(dict.fromkeys(row.line for row in rows))
    flavours = list(dict.fromkeys(row.flavour for row in rows))
    head = "".join(f'<th scope="col">{escape(flavour or "other")}</th>' for flavour in flavours)
    body = []
    for line in lines:
        cells = []
        for flavour in flavours:
            squares = "".join(
                f'<a class="{row.state}" href="#{_name(row)}" title="{escape(_told(row))}">'
                f'<span class="hidden">{escape(_told(row))}</span></a>'
                for row in rows
                if (row.line, row.flavour) == (line, flavour)
            )
            cells.append(f"<td>{squares}</td>")
        body.append(f'<tr><th scope="row">{escape(line)}</th>{"".join(cells)}</tr>\n')
    return (
        '<section class="overview" aria-label="Overview">\n<table><thead><tr><th scope="col">Line</th>'
        f"{head}</tr></thead>\n<tbody>\n{''.join(body)}</tbody></table>\n</section>\n"
    )


def _told(row: Row) -> str:
    return f"{row.release}: {_WORDS[row.state]}"


def _filters(rows: Sequence[Row], number: dict[str, int]) -> str:
    """The states are switched by CSS alone; the rest needs the script."""
    switches = "".join(
        f'<label class="{state}"><input type="checkbox" id="show-{state}" checked> '
        f"<b>{number[state]}</b> {_WORDS[state]}</label>"
        for state in STATES
    )
    choices = [
        _choice("line", "All lines", list(dict.fromkeys(row.line for row in rows))),
        _choice("flavour", "All flavours", sorted({row.flavour for row in rows if row.flavour})),
    ]
    return (
        f'<div class="toolbar" role="group" aria-label="What is shown">\n<div class="states">{switches}</div>\n'
        f'<div class="scripted">{"".join(choices)}<label class="hidden" for="query">Release or note</label>'
        '<input id="query" type="search" placeholder="Release or note  /" autocomplete="off" spellcheck="false" '
        'aria-keyshortcuts="/"><output for="line flavour query" aria-live="polite"></output></div>\n</div>\n'
    )


def _choice(name: str, every: str, values: Sequence[str]) -> str:
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    label = f'<label class="hidden" for="{name}">{name.capitalize()}</label>'
    return f'{label}<select id="{name}"><option value="">{every}</option>{options}</select>'


def _table(rows: Sequence[Row]) -> str:
    # Without the script a heading is text, with it a button that sorts.
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    body = "".join(_row(number, row) for number, row in enumerate(rows))
    table = f'<table class="kernels">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>'
    return f"<main>\n{table}\n</main>\n"


def _row(number: int, row: Row) -> str:
    word = _WORDS[row.state]
    if row.state == "red":
        word += f" since {row.red_since[:10]}"
    built = _BUILT[row.built]
    size = f"{row.module_size / 1024:,.0f} KiB" if row.module_size is not None else built
    cells = [
        (_linked(row, f'<span class="state">{escape(word)}</span>'), str(STATES.index(row.state)) + row.red_since),
        (escape(size), str(row.module_size or 0)),
        (_linked(row, _seconds(row.load_seconds)), str(row.load_seconds or 0)),
        (_linked(row, escape(row.traffic)), row.traffic),
        (_linked(row, _seconds(row.boot_seconds)), str(row.boot_seconds or 0)),
        (_linked(row, _seconds(row.seconds)), str(row.seconds or 0)),
        (escape(row.last_green[:10]) or _NONE, row.last_green),
    ]
    note = f'<p class="note">{escape(row.note)}</p>' if row.note else ""
    named = "".join(
        f'<td data-name="{name}" data-key="{escape(key)}">{text}</td>'
        for name, (text, key) in zip(_COLUMNS[1:], cells, strict=True)
    )
    return (
        f'<tr id="{_name(row)}" class="{row.state}" data-line="{escape(row.line)}" '
        f'data-flavour="{escape(row.flavour)}"><th scope="row" data-key="{number}">{escape(row.release)}{note}</th>'
        f"{named}</tr>\n"
    )


def _seconds(value: float | None) -> str:
    return _NONE if value is None else duration(value)


def _linked(row: Row, text: str) -> str:
    """A cell of a kernel that was run leads to its log."""
    return f'<a href="{escape(quote(row.log))}">{text}</a>' if row.log and text != _NONE else text
