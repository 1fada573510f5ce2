"""Small packages for tests, made by dpkg-deb and rpmbuild."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "RootInfo", "root_layers", "run_in_root")

_SCRIPT = "/forge/make_package.sh"

def _small_package_impl(ctx):
    output = ctx.actions.declare_file("{}.{}".format(ctx.label.name, ctx.attr.kind))
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr._root)],
        outputs = {"package": output},
        command = ["sh", _SCRIPT, ctx.attr.kind, ctx.attr.package, ctx.attr.version, ctx.attr.text],
        inputs = {ctx.file._script: _SCRIPT},
        mnemonic = "SmallPackage",
        progress_message = "Making package %{label}",
    )
    return [DefaultInfo(files = depset([output]))]

small_package = rule(
    implementation = _small_package_impl,
    doc = "A package, NAME.deb or NAME.rpm, with one file that says a text.",
    attrs = {
        "kind": attr.string(
            doc = "What it is.",
            mandatory = True,
            values = [
                "deb",
                "rpm",
            ],
        ),
        "package": attr.string(
            doc = "The package's name.",
            default = "forge-hello",
        ),
        "text": attr.string(
            doc = "What its file says, and its description.",
            mandatory = True,
        ),
        "version": attr.string(
            doc = "Its version.",
            mandatory = True,
        ),
        "_root": attr.label(
            default = "//roots:package-repository",
            providers = [RootInfo],
        ),
        "_script": attr.label(
            default = "//tests/packages:make_package.sh",
            allow_single_file = True,
        ),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
)
