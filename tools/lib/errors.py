"""One error type for everything that is the user's to mend."""


class UserError(Exception):
    """A mistake in an input, a setting or the environment.

    The text is shown as it is after "error: ", so it names the file and line or
    the target, what was expected, and what to do next. Anything else that escapes
    a tool is a defect of the tool and keeps its traceback.
    """
