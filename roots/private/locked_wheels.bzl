"""locked_wheels: the Python wheels of a lock, as a repository that is fetched when first needed.

pip itself downloads them, because only pip knows the machine's index, its proxies and
credentials (pip.conf, PIP_INDEX_URL). What it may bring is fixed by the lock's SHA-256.
"""

# The names by which pip knows x86-64 and the C libraries up to that of Debian trixie (PEP 600 and those before it).
_PLATFORMS = [
    "linux",
    "manylinux1",
    "manylinux2010",
    "manylinux2014",
] + ["manylinux_2_{}".format(minor) for minor in range(5, 42)]

def pip_words(version):
    """The words for `pip download` by which it takes wheels for another Python than its own.

    Args:
      version: the version of Python, such as "3.13"; empty for that which runs pip.

    Returns:
      A list of strings.
    """
    if not version:
        return []
    return [
        "--implementation=cp",
        "--python-version=" + version,
        "--abi=cp" + version.replace(".", ""),
        "--abi=abi3",
        "--abi=none",
    ] + ["--platform={}_x86_64".format(platform) for platform in _PLATFORMS]

def _pip(rctx):
    """Take pip's wheel out of its package; returns the words that start it."""
    rctx.extract(rctx.attr._pip, output = "pip")
    rctx.extract("pip/data.tar.xz", output = "pip")
    wheels = [path for path in rctx.path("pip/usr/share/python-wheels").readdir() if path.basename.startswith("pip-")]
    return [rctx.path(rctx.attr._python), "-ISB", "{}/pip".format(wheels[0])]

def _failure(lock, said):
    """One line, because Bazel repeats it for the repository, its package, and each target that needs it."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    names = [line.strip().split(" ")[0] for line in said.splitlines() if "from https://" in line or "from http://" in line]
    return ("{}: pip can't fetch the locked wheels: {}{}. Name an index that has them in pip's own settings " +
            "(pip.conf, PIP_INDEX_URL), or refresh the lock: ./bazelw run //roots:update_wheels -- {}").format(
        lock,
        "; ".join(errors) or said.strip().split("\n")[-1],
        " (" + ", ".join(names) + ")" if names else "",
        lock.name.removesuffix(".requirements.txt"),
    )

def _locked_wheels_impl(rctx):
    done = rctx.execute(
        _pip(rctx) + [
            "download",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--progress-bar=off",
            "--require-hashes",
            "--dest=wheels",
            "--requirement={}".format(rctx.path(rctx.attr.lock)),
        ] + pip_words(rctx.attr.python),
        timeout = 1800,
    )
    rctx.delete("pip")
    if done.return_code:
        fail(_failure(rctx.attr.lock, done.stderr))
    rctx.file("BUILD.bazel", """filegroup(
    name = "wheels",
    srcs = {},
    visibility = ["//visibility:public"],
)
""".format(json.encode_indent(
        sorted(["wheels/" + path.basename for path in rctx.path("wheels").readdir()]),
        prefix = "    ",
        indent = "    ",
    )), executable = False)

locked_wheels = repository_rule(
    implementation = _locked_wheels_impl,
    doc = "The wheels of a requirements file with hashes; `:wheels` is all of them.",
    attrs = {
        "lock": attr.label(
            doc = "The lock, roots/NAME.requirements.txt, made by `./bazelw run //roots:update_wheels -- NAME`.",
            mandatory = True,
        ),
        "python": attr.string(
            doc = "The version of Python that the wheels are for; empty for the tool runtime's.",
        ),
        "_pip": attr.label(default = "@root_pip//:packages/python3-pip-whl.deb"),
        "_python": attr.label(default = "@tool_runtime//:bin/python3"),
    },
)
