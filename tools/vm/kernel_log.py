"""What a kernel's log may have after a test: nothing of warning level or above, and expected taints only."""

import re

# Documentation/admin-guide/tainted-kernels.rst: the flag of each bit.
FLAGS = "PFSRMBUDAWCIOELKXTNJ"
# What the kernel says, at warning level, when it sets a flag.
_SAID = {
    "O": re.compile(r"[\w-]+: loading out-of-tree module taints kernel"),
    "E": re.compile(r"[\w-]+: module verification failed: signature and/or required key missing"),
    "P": re.compile(r"[\w-]+: module license '.*' taints kernel|Disabling lock debugging due to kernel taint"),
}
# Warnings of work that took long, as all does where the host's processors are busy.
_SLOW = re.compile(r"hrtimer: interrupt took \d+ ns|workqueue: \S+ hogged CPU for >\d+us \d+ times, .*")
STAMP = re.compile(r"\[ *\d+\.\d{6}\]")
_RAW = re.compile(r"<(?P<priority>\d+)>\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? (?P<message>.*)")
# What a kernel says of the machine until here isn't about the test.
_BOOTED = re.compile(r"Run /\S+ as init process")
_LEVELS = ("emergency", "alert", "critical", "error", "warning")


def taint_flags(bits: int) -> str:
    """The letters of /proc/sys/kernel/tainted."""
    known = [flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1]
    return "".join(known) + ("?" if bits >> len(FLAGS) else "")


def problems(bits: int, text: str, allowed: str, known: str = "") -> list[str]:
    """What is wrong; `bits` are the kernel's taint, `text` is the output of `dmesg -r`.

    `allowed` are taint flags; messages that the expression `known` matches as a whole are passed over.
    """
    wrong = []
    said = [_SLOW, *(_SAID[flag] for flag in allowed if flag in _SAID)]
    if unexpected := "".join(flag for flag in taint_flags(bits) if flag not in allowed):
        wrong.append(f"the kernel is tainted {unexpected}, expected {allowed or 'nothing'}")
    booted = False
    for line in text.splitlines():
        found = _RAW.match(line)
        if not found:
            continue
        message, level = found["message"], int(found["priority"]) & 7
        expected = re.fullmatch(known, message) or any(expression.match(message) for expression in said)
        if booted and level < len(_LEVELS) and not expected:
            wrong.append(f"{_LEVELS[level]}: {message}")
        booted = booted or bool(_BOOTED.match(message))
    return wrong
