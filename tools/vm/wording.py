"""Commands and outputs as messages and the log have them."""

_LOGGED = 32 * 1024  # characters of a command's output in the log, at its beginning and at its end
_SHORT = 120  # characters


def parameter(value: object) -> str:
    """A module's parameter as `insmod` takes it."""
    return {True: "Y", False: "N"}[value] if isinstance(value, bool) else str(value)


def short(command: str) -> str:
    """A command for a message of one line."""
    first, _, more = command.strip().partition("\n")
    return f"{first[:_SHORT]}..." if more or len(first) > _SHORT else first


def bounded(text: str) -> str:
    """An output without its middle, if it is very long."""
    if len(text) <= 2 * _LOGGED:
        return text
    left = len(text) - 2 * _LOGGED
    return f"{text[:_LOGGED]}\n... {left} characters left out ...\n{text[-_LOGGED:]}"
