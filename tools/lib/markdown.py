"""Tables in Markdown that also read well as plain text."""

from collections.abc import Sequence


def table(lines: Sequence[Sequence[str]]) -> str:
    """A table of cells; the first line is the head. Columns are as wide as their widest cell."""
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(lines[0]))]
    rule = ["-" * width for width in widths]
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in (lines[0], rule, *lines[1:])
    )
