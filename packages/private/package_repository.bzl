"""package_repository: packages and their index, for apt or dnf."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "RootInfo", "root_layers", "run_in_root")
load(":providers.bzl", "PackageRepositoryInfo")

# The metadata of each kind: the name that the tool leaves, and the place in the repository.
_METADATA = {
    "deb": {
        "Packages": "Packages",
        "Packages.gz": "Packages.gz",
        "Release": "Release",
    },
    "rpm": {
        "filelists.xml.gz": "repodata/filelists.xml.gz",
        "other.xml.gz": "repodata/other.xml.gz",
        "primary.xml.gz": "repodata/primary.xml.gz",
        "repomd.xml": "repodata/repomd.xml",
    },
}
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

def _check_word(ctx, name):
    word = getattr(ctx.attr, name)
    if not word or word.startswith(".") or [letter for letter in word.elems() if letter not in _WORD]:
        fail("{}: {}: '{}' can't be part of a repository's address; expected letters, digits and . _ -".format(ctx.label, name, word))
    return word

def _package_repository_impl(ctx):
    release = _check_word(ctx, "release")
    distribution = _check_word(ctx, "distribution")
    if bool(ctx.files.debs) == bool(ctx.files.rpms):
        fail("{}: give either `debs` or `rpms`, at least one package; a distribution has one kind".format(ctx.label))
    kind = "deb" if ctx.files.debs else "rpm"
    packages = {}
    for file in ctx.files.debs + ctx.files.rpms:
        if file.basename in packages:
            fail("{}: two packages are called {}: {} and {}; keep one, or rename one".format(
                ctx.label,
                file.basename,
                packages[file.basename].short_path,
                file.short_path,
            ))
        packages[file.basename] = file
    metadata = {
        name: ctx.actions.declare_file("{}/{}".format(ctx.label.name, place))
        for name, place in _METADATA[kind].items()
    }
    places = {file: "/forge/packages/" + name for name, file in packages.items()}
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr._root)],
        outputs = metadata,
        command = [
            "--kind",
            kind,
            "--release",
            release,
            "--distribution",
            distribution,
            "--output",
            "/out",
        ] + ["{}={}".format(place, file.short_path) for file, place in places.items()],
        inputs = places,
        tool = ctx.attr._tool,
        mnemonic = "PackageRepository",
        progress_message = "Indexing packages of %{label}",
    )
    files = {place: metadata[name] for name, place in _METADATA[kind].items()}
    files |= {"packages/" + name: file for name, file in packages.items()}
    return [
        DefaultInfo(files = depset(files.values())),
        PackageRepositoryInfo(
            distribution = distribution,
            files = files,
            kind = kind,
            release = release,
        ),
    ]

package_repository = rule(
    implementation = _package_repository_impl,
    doc = """The packages of one release for one distribution, with the index that apt or dnf reads, the same bytes each time.

The index is made by apt-ftparchive or createrepo_c. It isn't signed: who serves the repository has the key.""",
    attrs = {
        "debs": attr.label_list(
            doc = "Debian packages, for apt.",
            allow_files = [".deb"],
        ),
        "distribution": attr.string(
            doc = "The distribution that the packages are for, such as bookworm; the second folder of the repository's address.",
            mandatory = True,
        ),
        "release": attr.string(
            doc = "The release of the platform, such as R24.1; the first folder of the repository's address.",
            mandatory = True,
        ),
        "rpms": attr.label_list(
            doc = "RPM packages, for dnf.",
            allow_files = [".rpm"],
        ),
        "_root": attr.label(
            default = "//roots:package-repository",
            providers = [RootInfo],
        ),
        "_tool": attr.label(default = "//tools/packages:repository"),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    provides = [PackageRepositoryInfo],
)
