"""Text from a VM made fit for a page or for XML, and durations as people read them."""

import html
import re

# Escape sequences of terminals (ECMA-48): CSI, OSC and its like up to BEL or ST, and the short ones.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# What XML forbids, and what turns the direction of the text around it.
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    # Unicode has pictures of the ASCII controls.
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def clean(text: str) -> str:
    """`text` without terminal sequences; other control characters become visible signs."""
    if not _STRANGE.search(text):
        return text
    return _STRANGE.sub(_visible, _ANSI.sub("", text).replace("\r\n", "\n").rstrip("\r"))


def escape(text: str) -> str:
    """`text` cleaned, and escaped for HTML, also inside a quoted attribute."""
    return html.escape(clean(text))


def duration(seconds: float) -> str:
    """Seconds in the unit that reads best: 4 ms, 0.42 s, 12.3 s, 2 min 5 s."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def plural(count: int, noun: str) -> str:
    """ "1 line", "12,000 lines"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clip(text: str, limit: int) -> tuple[str, int, str]:
    """The beginning of `text`, how many characters were left out behind it, and the end.

    Half of the limit is for each; cuts are moved to line ends where that loses little.
    """
    if len(text) <= limit:
        return text, 0, ""
    half = limit // 2
    head, tail = text[:half], text[-half:]
    head = head[: head.rfind("\n", half * 3 // 4) + 1] or head
    tail = tail[tail.find("\n", 0, half // 4) + 1 :]
    return head, len(text) - len(head) - len(tail), tail
