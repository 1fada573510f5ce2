"""The thin shell around every command-line tool: errors, interrupts, exit codes."""

import errno
import sys
from collections.abc import Callable, Sequence

from tools.lib.errors import UserError


def run(main: Callable[[Sequence[str]], int]) -> None:
    """Call `main` with the arguments and exit with its code.

    A `UserError` is printed as "error: ..." with exit code 1; Ctrl-C ends with 130
    (128 + SIGINT, what a shell reports); a closed output pipe ends with 141. A full disk
    is the user's to mend too, wherever it is met.
    """
    try:
        code = main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        code = 141
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"error: {error.filename or 'an output'}: no space left; make room and run it again", file=sys.stderr)
        code = 1
    sys.exit(code)
