"""kernel_catalogue: the committed catalogue and its lock, as Starlark that WORKSPACE and BUILD files load."""

load("//roots:repositories.bzl", "read_lock")

_REFRESH = "./bazelw run //kernels:update"

def _repository_name(package):
    """The name of the repository with one locked package; the digest keeps versions apart."""
    return "kernel.{}.{}".format(package["name"].replace("+", "_").replace("~", "_"), package["sha256"][:8])

def _kernel_catalogue_impl(rctx):
    lock = read_lock(rctx, rctx.attr.lock)
    locked = {"{}={}".format(package["name"], package["version"]): package for package in lock["packages"]}
    catalogue = json.decode(rctx.read(rctx.attr.catalogue), default = None)
    if type(catalogue) != "dict" or catalogue.get("schema") != 1:
        fail("{}: not a kernel catalogue with schema 1; restore it from git or make it anew with: {}".format(rctx.attr.catalogue, _REFRESH))
    kernels = []
    for kernel in catalogue["kernels"]:
        missing = [name for name in kernel["packages"]["headers"] if name not in locked]
        if missing:
            fail("{}: kernel {} names {}, which {} doesn't lock; make both anew with: {}".format(
                rctx.attr.catalogue,
                kernel["release"],
                ", ".join(missing),
                rctx.attr.lock,
                _REFRESH,
            ))
        kernels.append(kernel | {
            "headers": ["@{}//:package".format(_repository_name(locked[name])) for name in kernel["packages"]["headers"]],
        })
    packages = {
        _repository_name(package): json.encode(package)
        for package in lock["packages"]
    }
    rctx.file("BUILD.bazel", "", executable = False)
    rctx.file("catalogue.bzl", '"""Made from kernels/catalogue.json and kernels/kernels.lock.json."""\n\nKERNELS = {}\n\nPACKAGES = {}\n'.format(
        repr(kernels),
        repr(packages),
    ), executable = False)

kernel_catalogue = repository_rule(
    implementation = _kernel_catalogue_impl,
    doc = "KERNELS (a list of dicts) and PACKAGES (repository name to lock entry), from the committed files.",
    attrs = {
        "catalogue": attr.label(
            doc = "The catalogue, made by `./bazelw run //kernels:update`.",
            mandatory = True,
        ),
        "lock": attr.label(
            doc = "The lock of the catalogue's packages.",
            mandatory = True,
        ),
    },
)
