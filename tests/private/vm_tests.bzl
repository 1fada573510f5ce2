"""vm_test and kernel_vms: the targets of VM tests and of interactive machines."""

load("@kernel_catalogue//:catalogue.bzl", "KERNELS")
load("//kernels:defs.bzl", "IMAGE_MODULES", "find_kernel", "kernel_image", "near_releases")
load(":vm_driver.bzl", "vm_driver")
load(":vm_machine.bzl", "vm_machine")
load(":vm_script_test.bzl", "vm_script_test")

def vm_test_mistake(name, kernel, machines, modules, networks):
    """What is wrong with the arguments of a vm_test.

    Args:
      name: as vm_test has it.
      kernel: as vm_test has it.
      machines: as vm_test has it.
      modules: as vm_test has it.
      networks: as vm_test has it.

    Returns:
      A message, or None.
    """
    if bool(kernel) == bool(machines):
        return "{}: give either `kernel` or `machines`, and not both".format(name)
    machines = machines or {"vm": kernel}
    for release in machines.values():
        if not find_kernel(release):
            return "{}: the catalogue has no kernel '{}'; near: {}; ./bazelw query //kernels:all lists all".format(
                name,
                release,
                ", ".join(near_releases(release)),
            )
    named = {"`networks`": [machine for members in networks.values() for machine in members]}
    if type(modules) == "dict":
        named["`modules`"] = modules.keys()
    for where, names in named.items():
        unknown = sorted({machine: None for machine in names if machine not in machines})
        if unknown:
            return "{}: {} names machines that aren't there: {}; there are: {}".format(
                name,
                where,
                ", ".join(unknown),
                ", ".join(machines),
            )
    return None

def _image(name, release, kernel_modules, **kwargs):
    """The label of an image that has these modules: the catalogue's, or one of the test's own."""
    extra = [module for module in kernel_modules if module.replace("-", "_") not in IMAGE_MODULES]
    if not extra:
        return "//kernels:{}.image".format(release)
    kernel = find_kernel(release)
    kernel_image(
        name = name,
        flavour = kernel["flavour"],
        line = kernel["line"],
        modules = IMAGE_MODULES + extra,
        packages = kernel["image"],
        release = release,
        **kwargs
    )
    return name

def vm_test(
        name,
        script,
        kernel = None,
        machines = {},
        modules = [],
        kernel_modules = [],
        files = {},
        initramfs = "//tests:guest",
        networks = {},
        memory = 256,
        cpus = 1,
        cmdline = "",
        deadline = 0,
        env = {},
        facts = {},
        srcs = [],
        size = "medium",
        tags = [],
        **kwargs):
    """A test whose steps a Python script takes in one or several virtual machines (docs/vm-tests.md).

    Besides NAME, declares NAME.driver: `bazel run` of it gives a Python prompt with the machines.

    Args:
      name: the test's name.
      script: the script, a Python file.
      kernel: the release of the one machine, which the script knows as `vm`.
      machines: instead of `kernel`: a dict from the name of each machine to its kernel's release.
      modules: kernel_module targets and .ko files, which the machines have in /modules; in a label, {release}
        stands for the machine's kernel. A dict from machine to such a list if they aren't the same for all.
      kernel_modules: modules of the kernel's own packages to load at start; what they need comes with them.
      files: a dict from label to the file's absolute path in every machine.
      initramfs: the initramfs target with the machines' programs.
      networks: a dict from the name of a virtual Ethernet to the machines in it; a machine's devices are eth0, eth1
        and so on, in this order.
      memory: each machine's memory in MiB.
      cpus: each machine's number of processors.
      cmdline: words to add to the kernels' command line.
      deadline: seconds after which the test has failed, if sooner than Bazel's time-out; 0 for none.
      env: variables of the driver's environment, which the script sees.
      facts: what is to be known of the test, for its result.json: a dict of strings.
      srcs: Python files that the script imports by their paths in the workspace.
      size: Bazel's test size.
      tags: further tags; all VM tests have `vm` and `cpu:N`, N processors of all machines.
      **kwargs: what else a test takes.
    """
    mistake = vm_test_mistake(name, kernel, machines, modules, networks)
    if mistake:
        fail(mistake)
    common = {"testonly": True} | {key: kwargs[key] for key in ["target_compatible_with", "visibility"] if key in kwargs}
    targets = []
    for machine, release in (machines or {"vm": kernel}).items():
        target = "{}.{}".format(name, machine)
        targets.append(target)
        own = modules.get(machine, []) if type(modules) == "dict" else modules
        vm_machine(
            name = target,
            cmdline = cmdline,
            cpus = cpus,
            files = files,
            image = _image(target + ".image", release, kernel_modules, tags = ["manual"], **common),
            initramfs = initramfs,
            kernel_modules = kernel_modules,
            machine = machine,
            memory = memory,
            modules = [label.replace("{release}", release) for label in own],
            networks = [network for network, members in networks.items() if machine in members],
            tags = ["manual"],
            **common
        )
    program = {
        "env": env,
        "facts": facts,
        "machines": targets,
        "script": script,
        "srcs": srcs,
    }
    vm_script_test(
        name = name,
        size = size,
        deadline = deadline,
        tags = ["cpu:{}".format(len(targets) * cpus), "vm"] + tags,
        **(program | kwargs)
    )
    vm_driver(
        name = name + ".driver",
        tags = ["manual"],
        **(program | common)
    )

def kernel_vms(name = "vm", files = {}, modules = []):
    """Declare RELEASE.vm for every kernel of the catalogue: `bazel run` boots it and gives its console.

    Args:
      name: what follows the release in the targets' names.
      files: a dict from label to the file's absolute path in the machine.
      modules: as vm_test has it.
    """
    for kernel in KERNELS:
        release = kernel["release"]
        target = "{}.{}".format(release, name)
        vm_machine(
            name = target + ".machine",
            files = files,
            image = "//kernels:{}.image".format(release),
            initramfs = "//tests:guest",
            # For the device that QEMU_NET_OPTS is about.
            kernel_modules = ["virtio_net"],
            machine = "vm",
            modules = [label.replace("{release}", release) for label in modules],
            tags = ["manual"],
        )
        vm_driver(
            name = target,
            machines = [target + ".machine"],
            mode = "console",
            tags = ["manual"],
        )
