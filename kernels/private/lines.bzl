"""Kernel lines and ranges of them: the rule of tools/kernels/source.py, at analysis time."""

def _line(text):
    """The line of a release as a pair of numbers, or None."""
    numbers = text.split("-")[0].split("+")[0].split(".")
    if len(numbers) < 2 or not numbers[0].isdigit() or not numbers[1].isdigit():
        return None
    return (int(numbers[0]), int(numbers[1]))

def _ends(kernels):
    first, separator, last = kernels.partition("..")
    return (first, last if separator else first)

def check_range(kernels, label):
    """Fail unless a range of kernel lines is one.

    Args:
      kernels: FIRST..LAST, either end may be left out; one line alone; empty for all.
      label: the target, for the message.
    """
    for end in _ends(kernels):
        if end and not _line(end):
            fail("{}: '{}' is no range of kernel lines; expected FIRST..LAST, for example 5.10..6.12, 6.1.. or ..6.12".format(
                label,
                kernels,
            ))

def supports(kernels, release):
    """Whether a kernel's line is in a range.

    Args:
      kernels: a range that `check_range` lets pass.
      release: a kernel release.

    Returns:
      True or False.
    """
    first, last = _ends(kernels)
    line = _line(release)
    if not line:
        fail("'{}': expected a kernel release that starts like 6.1".format(release))
    return (not first or _line(first) <= line) and (not last or line <= _line(last))
