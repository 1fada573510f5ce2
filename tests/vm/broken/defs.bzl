"""broken_test: a VM test that must fail, and how."""

load("//tests:defs.bzl", "vm_failure_test", "vm_test")

def broken_test(name, kind, message, within, section = "", test = vm_test, **kwargs):
    """Declare NAME, which passes if NAME.failing fails as it should.

    Args:
      name: the test's name.
      kind: the kind of failure.
      message: a regular expression for its reason.
      within: the seconds that the step which fails may take.
      section: the title of the section that fails.
      test: the macro that declares the failing test.
      **kwargs: what that macro takes.
    """
    processors = kwargs.get("cpus", 1) * max(1, len(kwargs.get("machines", {})))
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
        section = section,
        tags = [
            "cpu:{}".format(processors),
            "vm",
        ],
        test = name + ".failing",
        within = within,
    )
