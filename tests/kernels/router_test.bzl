"""router_test: a VM test whose machines are routers."""

load("//tests:defs.bzl", "vm_test")

def router_test(name, script, modules = ["//kernels:{release}"], srcs = [], cmdline = "", **kwargs):
    """Declare a vm_test whose script uses tests/kernels/router.py.

    IPv6 is off, because a tenant that talks of its own accord would be in the counts.

    Args:
      name: the test's name.
      script: its script.
      modules: the vrouter.ko to test, and others.
      srcs: what else the script imports.
      cmdline: words to add to the kernels' command line.
      **kwargs: what else vm_test takes.
    """
    vm_test(
        name = name,
        srcs = ["//tests/kernels:router.py"] + srcs,
        cmdline = "ipv6.disable=1 " + cmdline,
        files = {"//vrouter:vr": "/usr/bin/vr"},
        kernel_modules = ["veth"],
        modules = modules,
        script = script,
        **kwargs
    )

def tunnel_tests(name, releases, script):
    """Declare NAME-RELEASE, two machines of one kernel, for each kernel, and NAME-FIRST-LAST.

    Args:
      name: how the tests' names begin.
      releases: the kernels.
      script: the script of all the tests.

    Returns:
      The tests' names.
    """
    pairs = [(release, release) for release in releases] + [(releases[0], releases[-1])]
    tests = []
    for left, right in pairs:
        tests.append("-".join([name, left] + ([] if left == right else [right])))
        router_test(
            name = tests[-1],
            machines = {
                "left": left,
                "right": right,
            },
            networks = {"network": [
                "left",
                "right",
            ]},
            script = script,
        )
    return tests
