"""go_binary: a static program of locked Go modules."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "root_layers", "run_in_root")
load(":providers.bzl", "ComponentsInfo")

_ZIPS = "/modules"

def _go_binary_impl(ctx):
    program = ctx.actions.declare_file(ctx.label.name)
    components = ctx.actions.declare_file(ctx.label.name + ".components.json")
    inputs = {ctx.file.lock: "/lock.json"}
    for file in ctx.files.modules:
        inputs[file] = "{}/{}".format(_ZIPS, file.short_path.partition("/modules/")[2])
    words = [
        "--lock",
        "/lock.json",
        "--lock-name",
        ctx.file.lock.short_path,
        "--modules",
        _ZIPS,
        "--go",
        ctx.attr.go,
        "--output",
        "/out/program",
        "--components",
        "/out/components.json",
    ]
    for target, place in ctx.attr.sources.items():
        files = target.files.to_list()
        if len(files) != 1:
            fail("{}: sources: {} is {} files; name one".format(ctx.label, target.label, len(files)))
        inputs[files[0]] = "/sources/" + place
        words += ["--source", "{0}=/sources/{0}".format(place)]
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr._root)],
        inputs = inputs,
        outputs = {"components.json": components, "program": program},
        command = words,
        tool = ctx.attr._tool,
        mnemonic = "GoBinary",
        progress_message = "Building %{label}",
    )
    return [
        DefaultInfo(files = depset([program]), executable = program),
        ComponentsInfo(component_files = depset([components])),
    ]

go_binary = rule(
    implementation = _go_binary_impl,
    doc = """A static program of Go modules, each pinned by its sums, the same bytes on every machine.

It is built in the root `go` without network: from a vendor folder of the modules' zips, whose sums (h1, as in go.sum) are
checked. In a files_layer, the modules come into the image's SBOM.""",
    attrs = {
        "go": attr.string(
            doc = "The version of the root's Go.",
            default = "1.24",
        ),
        "lock": attr.label(
            doc = "The lock, which names the program's package, too: containers/NAME/go.lock.json.",
            mandatory = True,
            allow_single_file = ["go.lock.json"],
        ),
        "modules": attr.label(
            doc = "The modules' zips, from `go_modules`.",
            mandatory = True,
            allow_files = [".zip"],
        ),
        "sources": attr.label_keyed_string_dict(
            doc = "Further Go files, such as upstream generates before it builds, each to its place, PACKAGE/NAME.go. @VERSION@ in one becomes the version of the module.",
            allow_files = [".go"],
        ),
        "_root": attr.label(default = "//roots:go"),
        "_tool": attr.label(default = "//tools/go:build"),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    provides = [ComponentsInfo],
)
