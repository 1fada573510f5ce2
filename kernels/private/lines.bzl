"""Kernel lines and ranges of them: the rule of tools/kernels/source.py, at analysis time."""

def _line(text):
    numbers = text.split("-")[0].split("+")[0].split(".")
    if len(numbers) < 2 or not numbers[0].isdigit() or not numbers[1].isdigit():
        fail("'{}': expected a kernel release or line that starts like 6.1".format(text))
    return (int(numbers[0]), int(numbers[1]))

def supports(kernels, release):
    """Whether a kernel's line is in a range.

    Args:
      kernels: FIRST..LAST, either end may be left out; one line alone; empty for all.
      release: a kernel release.

    Returns:
      True or False.
    """
    if not kernels:
        return True
    first, separator, last = kernels.partition("..")
    if not separator:
        last = first
    line = _line(release)
    return (not first or _line(first) <= line) and (not last or line <= _line(last))
