"""tool_runtime: the Python interpreter and the programs that every tool runs with, from a locked root.

An action can't run inside a root before something made that root. This repository is what
comes first: a few locked packages, unpacked by Bazel itself, that run on any Linux because
each program is started by the packages' own dynamic loader with their own libraries.
"""

load(":fetch.bzl", "fetch_packages", "read_lock")

_PROGRAMS = {
    "bsdtar": "usr/bin/bsdtar",
    "bwrap": "usr/bin/bwrap",
    "dpkg-deb": "usr/bin/dpkg-deb",
    "python3": "usr/bin/python3.11",
    "tar": "bin/tar",
    "zstd": "usr/bin/zstd",
}

# $0 keeps the path that Bazel gave, so the runtime is found beside it, wherever that is.
_LAUNCHER = """#!/bin/sh
d=${{0%/*}}/../root
exec "$d/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "$d/lib/x86_64-linux-gnu:$d/usr/lib/x86_64-linux-gnu" "$d/{program}" "$@"
"""

# One archive of compiled modules instead of 700 files: less for every sandbox to lay out.
# Unchecked hashes keep times out of it.
_PACK_STDLIB = """
import pathlib, py_compile, shutil, sys, zipfile
library = pathlib.Path(sys.argv[1])
left_out = {"test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "__pycache__", "lib-dynload"}
with zipfile.ZipFile(library.parent / "python311.zip", "w") as archive:
    for source in sorted(library.rglob("*.py")):
        name = source.relative_to(library)
        if left_out & set(name.parts):
            continue
        compiled = py_compile.compile(
            str(source), cfile="module.pyc", dfile=str(name), doraise=True, optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        entry = zipfile.ZipInfo(str(name) + "c", (1980, 1, 1, 0, 0, 0))
        archive.writestr(entry, pathlib.Path(compiled).read_bytes())
for path in library.iterdir():
    if path.name == "lib-dynload":
        continue
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.name != "os.py":  # the landmark by which Python finds its prefix
        path.unlink()
pathlib.Path("module.pyc").unlink()
"""

# The libraries that each program needs, as the dynamic loader finds them: what an action declares, and no more.
_LIST_LIBRARIES = """
import pathlib, pprint, re, subprocess, sys
folders = "root/lib/x86_64-linux-gnu", "root/usr/lib/x86_64-linux-gnu"
loader = folders[0] + "/ld-linux-x86-64.so.2"
libraries = {}
for word in sys.argv[1:]:
    name, _, program = word.partition("=")
    files = [program]
    if name == "python3":
        files += map(str, pathlib.Path("root/usr/lib/python3.11/lib-dynload").glob("*.so"))
        # Which libpthread opens by itself when a thread ends.
        files.append(folders[0] + "/libgcc_s.so.1")
    found = {loader, *files[1:]}
    for file in files:
        listed = subprocess.run(
            [loader, "--library-path", ":".join(folders), "--list", file], check=True, capture_output=True, text=True)
        found.update(re.findall(r"=> (root/[^ ]+) ", listed.stdout))
    libraries[name] = sorted(found)
pathlib.Path("libraries.bzl").write_text(
    '"The libraries of each program; made by roots/private/tool_runtime.bzl."\\n\\n'
    f"LIBRARIES = {pprint.pformat(libraries)}\\n")
"""

def _run_python(rctx, program, arguments):
    done = rctx.execute(
        [rctx.path("bin/python3"), "-ISBc", program] + arguments,
        environment = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
    )
    if done.return_code:
        fail("the locked Python doesn't run on this machine:\n" + done.stderr)

def _tool_runtime_impl(rctx):
    lock = read_lock(rctx, rctx.attr.lock)
    files = fetch_packages(rctx, lock["packages"], "packages", "./bazelw run //roots:update -- " + lock["name"])
    for name, file in sorted(files.items()):
        rctx.report_progress("unpacking " + name)
        rctx.extract(file, output = "deb")
        rctx.delete(file)
        for data in ["deb/data.tar.xz", "deb/data.tar.zst", "deb/data.tar.gz"]:
            if rctx.path(data).exists:
                rctx.extract(data, output = "root")
        rctx.delete("deb")
    for name, program in _PROGRAMS.items():
        rctx.file("bin/" + name, _LAUNCHER.format(program = program))
    _run_python(rctx, _PACK_STDLIB, ["root/usr/lib/python3.11"])
    _run_python(rctx, _LIST_LIBRARIES, ["{}=root/{}".format(name, program) for name, program in _PROGRAMS.items()])
    rctx.template("BUILD.bazel", rctx.attr.build_file, executable = False)

tool_runtime = repository_rule(
    implementation = _tool_runtime_impl,
    doc = "A root that is unpacked by Bazel itself, for the programs that actions start with.",
    attrs = {
        "lock": attr.label(
            doc = "The root's lock file.",
            mandatory = True,
        ),
        "build_file": attr.label(
            doc = "The repository's BUILD file.",
            mandatory = True,
        ),
    },
    environ = ["DEBIAN_MIRRORS"],
)
