"""vrouter_source: the source that `//kernels:all` builds when no flag says otherwise.

With `--repo_env=VROUTER_SOURCE=/path` it is a checkout that knows nothing of Bazel, whose
driver is detected; without it, it is //vrouter.
"""

_SKIPPED = ["BUILD", "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"]
_MAKEFILES = ["Kbuild", "Makefile"]
_HINT = "expected a Makefile or Kbuild with obj-m, a dkms.conf, or an SConstruct"

# What kbuild leaves in a tree. A build by hand may have been for another kernel: its objects must not be linked again.
_PRODUCTS = ["Module.symvers", "modules.order", ".tmp_versions"]

def _is_source(name, siblings):
    """Whether a file or folder of the checkout belongs to the source; kbuild keeps .NAME.cmd beside each of its products."""
    if name.startswith(".git") or name in _SKIPPED or name in _PRODUCTS or name.endswith(".mod.c"):
        return False
    return not (name.startswith(".") and name.endswith(".cmd")) and ".{}.cmd".format(name) not in siblings

def _place(rctx, path, name, is_hidden):
    """Put a file of the checkout into the repository so that Bazel sees each edit of it: a link, or a watched copy."""
    if not is_hidden:
        rctx.symlink(path, name)
        return
    rctx.watch(path)
    rctx.file(name)  # with the folders above it
    copied = rctx.execute(["cp", "-L", "--preserve=mode", "--", path, rctx.path(name)])
    if copied.return_code:
        fail("VROUTER_SOURCE: " + copied.stderr)

def _link_tree(rctx, source):
    """Link every file of the checkout, so that Bazel sees each edit and no foreign BUILD file; returns the names.

    Bazel watches each folder that is listed here. Its watch_tree would also read all of .git, and takes no loops.
    """
    names = []
    pending = [(source, "", [])]

    # A sandbox has a /tmp of its own, in which a link to the real one leads nowhere.
    is_hidden = str(source.realpath).startswith("/tmp/")
    for _ in range(1000000):
        if not pending:
            break
        folder, prefix, above = pending.pop()
        real = str(folder.realpath)
        if real in above:
            continue  # a link to a folder that it is in
        paths = folder.readdir()
        siblings = {path.basename: None for path in paths}
        for path in paths:
            name = prefix + path.basename
            if not _is_source(path.basename, siblings):
                continue
            if path.is_dir:
                pending.append((path, name + "/", above + [real]))
            elif path.exists:
                _place(rctx, path, "source/" + name, is_hidden)
                names.append(name)
    return sorted(names)

def _logical_lines(text):
    return text.replace("\\\n", " ").splitlines()

def _kbuild_modules(rctx, source, names):
    for makefile in _MAKEFILES:
        if makefile not in names:
            continue
        modules = []
        for line in _logical_lines(rctx.read(source.get_child(makefile))):
            left, separator, right = line.partition("=")
            if separator and left.strip().rstrip(":+?").strip() == "obj-m":
                modules.extend([word[:-2] for word in right.split(" ") if word.endswith(".o") and "$" not in word])
        if modules:
            return modules
    return []

def _dkms_modules(rctx, source):
    names = {}
    locations = {}
    for line in rctx.read(source.get_child("dkms.conf")).splitlines():
        left, separator, right = line.strip().partition("=")
        value = right.strip().strip("\"'")
        key, _, index = left.partition("[")
        if not separator or "$" in value:
            continue
        if key == "BUILT_MODULE_NAME":
            names[index] = value
        elif key == "BUILT_MODULE_LOCATION":
            locations[index] = value.strip("/") + "/" if value.strip("./") else ""
        elif key == "PACKAGE_NAME":
            names.setdefault("0]", value)
    return [locations.get(index, "") + name for index, name in names.items()]

def _detect(rctx, source, names, chosen):
    """The driver of a checkout, its modules (`chosen` if any), and the extras of the root that it needs."""
    extras = []
    if "SConstruct" in names:
        driver, modules, extras = "scons", ["vrouter/vrouter"], ["scons"]
    elif "dkms.conf" in names:
        driver, modules = "dkms", _dkms_modules(rctx, source)
    elif [name for name in _MAKEFILES if name in names]:
        driver, modules = "kbuild", _kbuild_modules(rctx, source, names)
    else:
        fail("VROUTER_SOURCE={}: no driver recognised: {}; it has: {}".format(
            source,
            _HINT,
            ", ".join(sorted({name.split("/")[0]: None for name in names})[:20]) or "nothing",
        ))
    if not chosen and not modules:
        fail(("VROUTER_SOURCE={}: its {} names no module literally; name what it builds, without .ko: " +
              "--repo_env=VROUTER_MODULES=\"NAME NAME\"").format(source, "dkms.conf" if driver == "dkms" else "Makefile"))
    return driver, chosen or modules, extras

def _vrouter_source_impl(rctx):
    setting = rctx.getenv("VROUTER_SOURCE", "")
    if not setting:
        rctx.file("BUILD.bazel", 'alias(\n    name = "source",\n    actual = "@contrail_forge//vrouter",\n    visibility = ["//visibility:public"],\n)\n', executable = False)
        return
    source = rctx.path(setting)
    if not setting.startswith("/") or not source.exists or not source.is_dir:
        fail("VROUTER_SOURCE={}: expected the absolute path of a folder with the source; give it as --repo_env=VROUTER_SOURCE=/path".format(setting))
    names = _link_tree(rctx, source)
    chosen = [name for name in rctx.getenv("VROUTER_MODULES", "").split(" ") if name]
    driver, modules, extras = _detect(rctx, source, names, chosen)
    rctx.template("BUILD.bazel", rctx.attr._build_file, {
        "{driver}": driver,
        "{extras}": repr(extras),
        "{modules}": repr(modules),
    }, executable = False)

vrouter_source = repository_rule(
    implementation = _vrouter_source_impl,
    doc = "The default module source: //vrouter, or the checkout that VROUTER_SOURCE names.",
    attrs = {
        "_build_file": attr.label(default = "//kernels/private:checkout.BUILD"),
    },
    environ = ["VROUTER_MODULES", "VROUTER_SOURCE"],
    local = True,
)
