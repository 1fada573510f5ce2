"""kernel_catalogue: the committed catalogue and its lock, as Starlark that WORKSPACE and BUILD files load."""

load("//roots:repositories.bzl", "read_lock")

_REFRESH = "./bazelw run //kernels:update"

def _repository_name(package):
    """The name of the repository with one locked package; the digest keeps versions apart."""
    return "kernel.{}.{}".format(package["name"].replace("+", "_").replace("~", "_"), package["sha256"][:8])

def _index(suite, archive):
    """Where an archive has the index of a suite that it surely has: the distribution's."""
    return "dists/{}{}/InRelease".format(suite.partition("-")[0], "-security" if archive == "debian-security" else "")

def _kernel_catalogue_impl(rctx):
    lock = read_lock(rctx, rctx.attr.lock)
    locked = {"{}={}".format(package["name"], package["version"]): package for package in lock["packages"]}
    catalogue = json.decode(rctx.read(rctx.attr.catalogue), default = None)
    if type(catalogue) != "dict" or catalogue.get("schema") != 1:
        fail("{}: not a kernel catalogue with schema 1; restore it from git or make it anew with: {}".format(rctx.attr.catalogue, _REFRESH))
    kernels = []
    for kernel in catalogue["kernels"]:
        wanted = kernel["packages"]
        missing = [name for name in wanted["headers"] + wanted["image"] if name not in locked]
        if missing:
            fail("{}: kernel {} names {}, which {} doesn't lock; make both anew with: {}".format(
                rctx.attr.catalogue,
                kernel["release"],
                ", ".join(missing),
                rctx.attr.lock,
                _REFRESH,
            ))
        kernels.append(kernel | {
            kind: ["@{}//:package".format(_repository_name(locked[name])) for name in wanted[kind]]
            for kind in ["headers", "image"]
        })
    packages = {
        _repository_name(package): json.encode(package)
        for package in lock["packages"]
    }
    headers = {key: None for kernel in catalogue["kernels"] for key in kernel["packages"]["headers"]}
    indexes = {
        _repository_name(locked[key]): _index(kernel["suite"], locked[key]["archive"])
        for kernel in catalogue["kernels"]
        for key in kernel["packages"]["image"]
        if key not in headers
    }
    rctx.file("BUILD.bazel", "", executable = False)
    rctx.file("catalogue.bzl", '"""Made from kernels/catalogue.json and kernels/kernels.lock.json."""\n\nKERNELS = {}\n\nPACKAGES = {}\n\nIMAGE_INDEXES = {}\n'.format(
        repr(kernels),
        repr(packages),
        repr(indexes),
    ), executable = False)

kernel_catalogue = repository_rule(
    implementation = _kernel_catalogue_impl,
    doc = """From the committed files: KERNELS (a list of dicts), PACKAGES (repository name to lock entry), and
IMAGE_INDEXES (for the repositories that are only for images: where the archive has the index of the suite).""",
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
