"""container_image: layers and a configuration as an image."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":base_layers.bzl", "base_layers")
load(":container_verb.bzl", "container_verb")
load(":image_layout.bzl", "LAYOUT_ATTRS", "image_layouts")
load(":image_size.bzl", "image_size")
load(":whole_image.bzl", "whole_image")
load(":providers.bzl", "ContainerImageInfo", "LayersInfo", "PulledImageInfo")

_TITLE = "org.opencontainers.image.title"
_VERSION = "org.opencontainers.image.version"
_REVISION = "org.opencontainers.image.revision"
_LICENSES = "org.opencontainers.image.licenses"
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789._-/"

def _labels(ctx, name, version, commit):
    labels = {_TITLE: name, _VERSION: version}
    if commit:
        labels[_REVISION] = commit
    if ctx.attr.licenses:
        labels[_LICENSES] = " AND ".join(ctx.attr.licenses)
    return labels | ctx.attr.labels

def _container_image_impl(ctx):
    name = ctx.attr.repository or ctx.label.name
    if [letter for letter in name.elems() if letter not in _NAME]:
        fail("{}: '{}' is no name for a registry; give `repository`, of small letters, digits and . _ - /".format(ctx.label, name))
    if not (ctx.attr.layers or ctx.attr.base):
        fail("{}: the image is empty; give at least one of: base, layers".format(ctx.label))
    version = ctx.attr._version[BuildSettingInfo].value
    commit = ctx.attr._commit[BuildSettingInfo].value
    base = None
    pulled = False
    if ctx.attr.base:
        pulled = PulledImageInfo in ctx.attr.base
        base = ctx.attr.base[PulledImageInfo if pulled else ContainerImageInfo]
        if not pulled and [layer for layer in base.layers if not layer.blob]:
            fail("{}: base: {} lies over a pulled image, and can't be a base itself; give its layers again".format(ctx.label, ctx.attr.base.label))
    targets = [target[LayersInfo] for target in ctx.attr.layers]
    layers = (base.layers if base else []) + [layer for target in targets for layer in target.layers]
    origins = ([base] if base else []) + targets
    accounts = [each.accounts for each in origins if each.accounts]
    components = depset(transitive = [each.components for each in origins])
    component_files = depset(transitive = [each.component_files for each in origins])
    plan = ctx.actions.declare_file(ctx.label.name + ".plan.json")
    ctx.actions.write(plan, json.encode_indent({
        "accounts": [file.path for file in accounts],
        "base": base.config.path if base else "",
        "budget_mb": ctx.attr.budget_mb,
        "component_files": [file.path for file in component_files.to_list()],
        "components": components.to_list(),
        "flags": {"commit": commit, "version": version},
        "image": "//{}:{}".format(ctx.label.package, ctx.label.name),
        "layers": [{"contents": layer.contents.path if layer.contents else "", "metadata": layer.metadata.path} for layer in layers],
        "name": name,
        "spec": {
            "cmd": ctx.attr.cmd,
            "entrypoint": ctx.attr.entrypoint,
            "env": ctx.attr.env,
            "health_check": ctx.attr.health_check,
            "health_retries": ctx.attr.health_retries,
            "health_seconds": {
                "Interval": ctx.attr.health_interval,
                "StartPeriod": ctx.attr.health_start_period,
                "Timeout": ctx.attr.health_timeout,
            },
            "labels": _labels(ctx, name, version, commit),
            "ports": ctx.attr.ports,
            "stop_signal": ctx.attr.stop_signal,
            "user": ctx.attr.user,
            "volumes": ctx.attr.volumes,
            "workdir": ctx.attr.workdir,
        },
        "version": version,
    }))
    outputs = {
        option: ctx.actions.declare_file("{}.{}.json".format(ctx.label.name, option))
        for option in ["config", "descriptor", "manifest", "provenance", "sbom", "sizes", "tree"]
    }
    args = ctx.actions.args()
    args.add(plan)
    for option, file in outputs.items():
        args.add("--" + option, file)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([plan] + accounts + ([base.config] if base else []) + [
            file
            for layer in layers
            for file in [layer.contents, layer.metadata]
            if file
        ], transitive = [component_files]),
        outputs = outputs.values(),
        mnemonic = "ContainerImage",
        progress_message = "Making image %{label}",
    )
    image = ContainerImageInfo(
        name = name,
        accounts = accounts[-1] if accounts else None,
        component_files = component_files,
        components = components,
        config = outputs["config"],
        descriptor = outputs["descriptor"],
        layers = layers,
        manifest = outputs["manifest"],
        sources = [source for each in origins for source in each.sources],
        version = version,
    )
    return [
        DefaultInfo(files = depset(outputs.values() + [layer.blob for layer in layers if layer.blob])),
        OutputGroupInfo(
            provenance = depset([outputs["provenance"]]),
            sbom = depset([outputs["sbom"]]),
            sizes = depset([outputs["sizes"]]),
            **({} if pulled else image_layouts(ctx, image, ctx.label.name))
        ),
        image,
    ]

_container_image = rule(
    implementation = _container_image_impl,
    doc = """An image of layers and a configuration; no layer is read to make it.

Its outputs are NAME.manifest.json, NAME.config.json, an SBOM (NAME.sbom.json), a provenance (NAME.provenance.json), a size
report (NAME.sizes.json), what a container sees (NAME.tree.json, as tools/containers/contents.py describes), and the layers' blobs. Output groups: `layout`, an OCI image layout as the folder NAME.oci;
`archive`, the same as NAME.tar, which `docker load` and `podman load` take, too; `sbom`, `provenance`, `sizes`.""",
    attrs = {
        "base": attr.label(
            doc = "The image whose layers lie below, a container_image or one of @container_bases, and whose configuration holds where this one says nothing.",
            providers = [[ContainerImageInfo], [PulledImageInfo]],
        ),
        "budget_mb": attr.int(
            doc = "How many megabytes (1,000,000 bytes, compressed) all layers may have; the build of a larger image fails. 0 is no limit.",
        ),
        "cmd": attr.string_list(
            doc = "The words after `entrypoint`, for which the words of `docker run` stand in.",
        ),
        "entrypoint": attr.string_list(
            doc = "The program that the container starts, by its absolute path, with its words.",
        ),
        "env": attr.string_dict(
            doc = "Environment variables.",
        ),
        "health_check": attr.string_list(
            doc = "The command that says whether the container is well, by its exit code.",
        ),
        "health_interval": attr.int(
            doc = "Seconds between two checks; 0 is docker's default, 30.",
        ),
        "health_retries": attr.int(
            doc = "How many checks fail before the container is unwell; 0 is docker's default, 3.",
        ),
        "health_start_period": attr.int(
            doc = "Seconds at the start in which failures don't count.",
        ),
        "health_timeout": attr.int(
            doc = "Seconds that a check may take; 0 is docker's default, 30.",
        ),
        "labels": attr.string_dict(
            doc = "Labels, beside those of title, version, revision and licences (org.opencontainers.image).",
        ),
        "layers": attr.label_list(
            doc = "The layers, lowest first.",
            providers = [LayersInfo],
        ),
        "licenses": attr.string_list(
            doc = "The licences of what is in the image, by their SPDX names.",
        ),
        "ports": attr.string_list(
            doc = "Ports on which the container listens, such as 6379 or 53/udp.",
        ),
        "repository": attr.string(
            doc = "The image's name in a registry, below the namespace; the target's name if there is none.",
        ),
        "stop_signal": attr.string(
            doc = "The signal by which the container is stopped, such as SIGQUIT; SIGTERM if there is none.",
        ),
        "user": attr.string(
            doc = "USER or USER:GROUP, as whom the container runs: names of its own /etc/passwd and /etc/group, or numbers.",
        ),
        "volumes": attr.string_list(
            doc = "Folders for data that outlive the container.",
        ),
        "workdir": attr.string(
            doc = "The folder in which the program starts.",
        ),
        "_commit": attr.label(
            default = "//containers:commit",
            providers = [BuildSettingInfo],
        ),
        "_tool": attr.label(default = "//tools/containers:make_image"),
        "_version": attr.label(
            default = "//containers:version",
            providers = [BuildSettingInfo],
        ),
    } | LAYOUT_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [ContainerImageInfo],
)

def container_image(name, **kwargs):
    """An image NAME, and what can be done with it: `bazel run` of NAME.size prints its layers by size; NAME.load has it in
    the local daemon, NAME.push in a registry, NAME.save in a file; NAME.dev runs it with its sources mounted, NAME.commit
    keeps the state of that.

    Over a pulled base, `base = "@container_bases//:BASE"`, NAME has metadata and its own layers only; the verbs, and NAME.whole with the
    output groups `archive` and `layout`, fetch the base's layers.

    Args:
      name: the target's name, and the image's if `repository` isn't given.
      **kwargs: the attributes of the rule: base, layers, entrypoint, cmd, env, user, workdir, ports, volumes, labels,
        licenses, health_check, health_interval, health_timeout, health_start_period, health_retries,
        stop_signal, repository, budget_mb.
    """
    blobs = base_layers(native.package_relative_label(name), kwargs.get("base"))
    _container_image(
        name = name,
        **kwargs
    )
    whole = name
    if blobs:
        whole = name + ".whole"
        whole_image(
            name = whole,
            blobs = blobs,
            image = name,
            tags = kwargs.get("tags", []) + ["manual"],
            visibility = kwargs.get("visibility"),
        )
    image_size(
        name = name + ".size",
        image = name,
        tags = kwargs.get("tags"),
        visibility = kwargs.get("visibility"),
    )
    for verb in ["commit", "dev", "load", "push", "save"]:
        container_verb(
            name = "{}.{}".format(name, verb),
            images = [whole],
            tags = kwargs.get("tags"),
            verb = verb,
            visibility = kwargs.get("visibility"),
        )
