"""broken_test: a VM test that must fail, and how."""

load("//tests:defs.bzl", "vm_failure_test", "vm_test")

def broken_test(name, kind, message, within, test = vm_test, **kwargs):
    """Declare NAME, which passes if NAME.failing fails as it should.

    Args:
      name: the test's name.
      kind: the kind of failure.
      message: a regular expression for its reason.
      within: the seconds that the step which fails may take.
      test: the macro that declares the failing test.
      **kwargs: what that macro takes.
    """
    test(
        name = name + ".failing",
        tags = ["manual"],
        **kwargs
    )
    vm_failure_test(
        name = name,
        size = "medium",
        kind = kind,
        message = message,
        tags = [
            "cpu:1",
            "vm",
        ],
        test = name + ".failing",
        within = within,
    )
