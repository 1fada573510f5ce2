"""Do what the packages' maintainer scripts do, by dpkg itself, and make a layer of the difference.

The packages' layers are unpacked into a tmpfs, as run_in_root unpacks a root; dpkg and all that its scripts call are
the image's own, started in that tree by bubblewrap. dpkg unpacks the packages once more, because their preinst scripts,
diversions and triggers are its business, and configures them. The root `container-build` has what is needed besides.

What every image has is configured once. For an image's own packages these layers, the base, are unpacked with what
configuring changed, and dpkg has only those packages to unpack and configure.

There is one user ID, so fakeroot's daemon answers for owners and modes, and its record of them is what the layer
takes. libfaketime answers for the clock. What differs from run to run in spite of that, or belongs to a machine rather
than to an image, is left out (`_VOLATILE`).
"""

import argparse
import fnmatch
import hashlib
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tools.containers.accounts import parse_accounts
from tools.containers.contents import (
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    SYMLINK,
    WHITEOUT,
    Entry,
    read_parts,
)
from tools.containers.layer import Part, Source, measured, plain_tar, write_outputs
from tools.containers.layer_options import add_layer_options, layer_outputs, zstd_program
from tools.containers.package_layer import EXCLUDED, INCLUDED, MERGED, is_excluded
from tools.containers.tree import stack
from tools.containers.users import add_users
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH
from tools.roots.run_in_root import HOST_NAME, unpack

_LIBRARIES = "usr/lib/x86_64-linux-gnu"
# Libraries of the root by where they lie for the image's programs.
_PRELOADED = {
    "/run/forge/fakeroot.so": f"{_LIBRARIES}/libfakeroot/libfakeroot-sysv.so",
    "/run/forge/faketime.so": f"{_LIBRARIES}/faketime/libfaketime.so.1",
}
_DEBS = "/run/forge/packages"
# Java makes alternatives of manual pages, and fails where their folder is missing.
_FOLDERS = (
    "dev",
    "proc",
    "run",
    "sys",
    "tmp",
    "usr/share/man/man1",
    "var/lib/dpkg/info",
    "var/lib/dpkg/triggers",
    "var/lib/dpkg/updates",
)
# No service is started while an image is made (invoke-rc.d(8)).
_POLICY = "usr/sbin/policy-rc.d"
# What belongs to a machine, or differs from run to run: file systems that a runtime mounts, logs, backups, locks,
# caches, identities and keys.
_VOLATILE = (
    "dev/*",
    "proc/*",
    "run/*",
    "sys/*",
    "tmp/*",
    _POLICY,
    "etc/bind/rndc.key",
    "etc/machine-id",
    "etc/ssh/ssh_host_*",
    "etc/ssl/certs/ssl-cert-snakeoil.pem",
    "etc/ssl/private/ssl-cert-snakeoil.key",
    "etc/.pwd.lock",
    "etc/group-",
    "etc/gshadow-",
    "etc/passwd-",
    "etc/shadow-",
    "etc/subgid-",
    "etc/subuid-",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/*-old",
    "var/lib/dpkg/lock*",
    "var/lib/dpkg/triggers/Lock",
    "var/lib/rabbitmq/.erlang.cookie",
    "var/log/alternatives.log",
    "var/log/dpkg.log",
)
# dpkg and its scripts close every descriptor that they might have, so a high limit makes them ten times slower.
_DESCRIPTORS = 1024
# As many of dpkg's last lines are shown when it fails.
_SAID = 30
_TYPES = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFIFO: FIFO,
}


@dataclass(frozen=True)
class Owned:
    """What fakeroot's daemon has recorded of a file: st_mode with its type bits, owner, st_rdev."""

    mode: int
    uid: int
    gid: int
    device: int = 0


def parse_record(text: str) -> dict[tuple[int, int], Owned]:
    """The record that fakeroot's daemon saves, by device and inode (faked(1), --save-file)."""
    record = {}
    for line in text.splitlines():
        fields = dict(field.split("=", 1) for field in line.split(","))
        owned = Owned(int(fields["mode"], 8), int(fields["uid"]), int(fields["gid"]), int(fields["rdev"]))
        record[int(fields["dev"], 16), int(fields["ino"])] = owned
    return record


def to_record(tree: Path, entries: Iterable[Entry]) -> str:
    """What fakeroot's daemon loads (faked(1), --load) to know owners and modes that the files themselves don't have."""
    lines = []
    for entry in entries:
        status = (tree / entry.path).lstat()
        mode = stat.S_IFMT(status.st_mode) | entry.mode
        if (mode, 0, 0) != (status.st_mode, entry.uid, entry.gid):
            owner = f"uid={entry.uid},gid={entry.gid}"
            lines.append(f"dev={status.st_dev:x},ino={status.st_ino},mode={mode:o},{owner},nlink={status.st_nlink},rdev=0\n")
    return "".join(lines)


def read_tree(tree: Path, record: Mapping[tuple[int, int], Owned]) -> dict[str, Entry]:
    """The entries of everything in the tree, as programs under fakeroot see it. Several links of a file are files."""
    entries = {}
    for folder, folders, files in os.walk(tree):
        for name in [*folders, *files]:
            path = Path(folder, name)
            status = path.lstat()
            known = record.get((status.st_dev, status.st_ino), Owned(status.st_mode, 0, 0))
            kind = _TYPES.get(stat.S_IFMT(known.mode))
            if kind is None:
                continue
            place = str(path.relative_to(tree))
            entry = Entry(place, kind, stat.S_IMODE(known.mode), known.uid, known.gid)
            if kind == FILE:
                content = path.read_bytes()
                entry = replace(entry, size=len(content), sha256=hashlib.sha256(content).hexdigest())
            elif kind == SYMLINK:
                entry = replace(entry, mode=0o777, target=os.readlink(path))
            elif kind == CHARACTER:
                entry = replace(entry, device=(os.major(known.device), os.minor(known.device)))
            entries[place] = entry
    return entries


def is_left_out(path: str) -> bool:
    """Whether a path is left out of the layer. dpkg keeps folders of documentation that it leaves out."""
    return is_excluded(path) or any(fnmatch.fnmatch(path, pattern) for pattern in _VOLATILE)


def difference(below: Mapping[str, Entry], above: Mapping[str, Entry]) -> list[Entry]:
    """The entries that make `above` of `below`: what is new or changed, and a whiteout for what is gone."""
    entries = [
        entry for path, entry in above.items() if not is_left_out(path) and _plain(below.get(path), below) != entry
    ]
    gone = {path for path in below if path not in above and not is_left_out(path)}
    for path in gone:
        parent, _, name = path.rpartition("/")
        if not any(str(folder) in gone for folder in Path(path).parents):
            entries.append(measured(Entry(f"{parent}/{WHITEOUT}{name}".lstrip("/"), FILE), b""))
    return entries


def _plain(entry: Entry | None, entries: Mapping[str, Entry]) -> Entry | None:
    """An entry as `read_tree` would give it."""
    if entry and entry.type == HARDLINK:
        return replace(entries[entry.target], path=entry.path)
    return entry


@dataclass(frozen=True)
class Stage:
    """Where the tree is configured: a tmpfs of this process's namespace."""

    folder: Path
    runtime: Path

    @property
    def image(self) -> Path:
        """The image's tree."""
        return self.folder / "image"

    @property
    def root(self) -> Path:
        """The root `container-build`."""
        return self.folder / "root"

    @property
    def record(self) -> Path:
        """What fakeroot's daemon leaves."""
        return self.folder / "record"


@contextmanager
def fakeroot_daemon(stage: Stage, record: str) -> Generator[str, None, None]:
    """A daemon that keeps owners and knows those of a record; gives its key, and has saved its record afterwards."""
    # By the root's own loader, as the tool runtime's programs are started.
    words = [f"{stage.root}/{_LIBRARIES}/ld-linux-x86-64.so.2", "--library-path", f"{stage.root}/{_LIBRARIES}"]
    words += [f"{stage.root}/usr/bin/faked-sysv", "--foreground", "--save-file", str(stage.record), "--load"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        process.stdin.write(record)
        process.stdin.close()
        yield process.stdout.readline().partition(":")[0]
    finally:
        process.terminate()
        process.wait()


def preloaded(image: Path) -> list[str]:
    """The libraries that the image's programs get first.

    jemalloc, as bind9's programs have it, asks libfaketime for the clock before it is ready, and libfaketime asks it
    for memory, and both wait for ever: where it is, the C library's malloc comes before it.
    """
    return [*_PRELOADED, *(["libc.so.6"] if (image / _LIBRARIES / "libjemalloc.so.2").exists() else [])]


def in_image(
    stage: Stage, key: str, packages: Sequence[Path], command: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    """Run a command of the image in its tree, with fakeroot and without a clock."""
    # Not --unshare-ipc: fakeroot's library and its daemon talk by a message queue.
    words = [f"{stage.runtime}/bin/bwrap", "--unshare-user", "--unshare-pid", "--unshare-uts", "--unshare-net"]
    words += ["--uid", "0", "--gid", "0", "--hostname", HOST_NAME, "--die-with-parent"]
    words += ["--bind", str(stage.image), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--tmpfs", "/tmp"]
    for place, library in _PRELOADED.items():
        words += ["--ro-bind", str(stage.root / library), place]
    for number, package in enumerate(packages):
        words += ["--ro-bind", os.path.realpath(package), f"{_DEBS}/{number}.deb"]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN": "true",
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        "FAKEROOTKEY": key,
        # In a namespace of one user the kernel's answer is EINVAL, and fakeroot expects EPERM.
        "FAKEROOTDONTTRYCHOWN": "1",
        "LD_PRELOAD": ":".join(preloaded(stage.image)),
        "FAKETIME": "2025-01-01 00:00:00",
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
        "PERL_HASH_SEED": "0",
        "PYTHONHASHSEED": "0",
    }
    words.append("--clearenv")
    for name, value in sorted(environment.items()):
        words += ["--setenv", name, value]
    words += ["--chdir", "/", "--", *command]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def dpkg(*words: str) -> list[str]:
    """dpkg's command line for what is done here."""
    options = ["--force-depends", "--force-confnew", "--force-unsafe-io"]
    options += [f"--path-exclude=/{pattern}" for pattern in EXCLUDED]
    options += [f"--path-include=/{pattern}" for pattern in INCLUDED]
    return ["dpkg", *options, *words]


def unpack_layer(runtime: Path, blob: Path, folder: Path) -> None:
    """Unpack a layer's blob. tar(1) would look for gzip and zstd on the machine."""
    plain = plain_tar(blob, runtime / "bin/zstd")
    subprocess.run([runtime / "bin/tar", "-xpf", "-", "-C", folder, "--no-same-owner"], input=plain, check=True)


def apply_whiteouts(folder: Path) -> None:
    """Remove what the whiteouts in an unpacked layer name, and themselves."""
    for whiteout in sorted(folder.rglob(f"{WHITEOUT}*")):
        gone = whiteout.with_name(whiteout.name.removeprefix(WHITEOUT))
        if gone.is_dir() and not gone.is_symlink():
            shutil.rmtree(gone)
        else:
            gone.unlink()
        whiteout.unlink()


def prepare(stage: Stage, root: Path, base: Sequence[Path], layers: Sequence[Path]) -> None:
    """Unpack root and layers, those of the base or else the packages', and make what dpkg and the scripts expect."""
    unpack(str(stage.runtime), str(root), stage.root)
    image = stage.image
    image.mkdir()
    for blob in base:
        unpack_layer(stage.runtime, blob, image)
        apply_whiteouts(image)
    if not base:
        for blob in layers:
            unpack_layer(stage.runtime, blob, image)
    for name in MERGED:
        if (image / "usr" / name).is_dir() and not (image / name).exists():
            (image / name).symlink_to(f"usr/{name}")
    for name in _FOLDERS:
        (image / name).mkdir(parents=True, exist_ok=True)
    if not base:
        # dpkg has its own idea of these: it unpacks the packages itself.
        for file in (image / "var/lib/dpkg/info").iterdir():
            file.unlink()
    for name in ("available", "status"):
        (image / "var/lib/dpkg" / name).touch()
    (image / _POLICY).write_text("#!/bin/sh\nexit 101\n")
    (image / _POLICY).chmod(0o755)


def configure(name: str, stage: Stage, packages: Sequence[Path], record: str) -> None:
    """Unpack and configure the packages in the prepared tree. Raises UserError with what dpkg said."""
    with fakeroot_daemon(stage, record) as key:
        files = [f"{_DEBS}/{number}.deb" for number in range(len(packages))]
        for what, command in (("unpack", dpkg("--unpack", *files)), ("configure", dpkg("--configure", "--pending"))):
            done = in_image(stage, key, packages, command)
            if done.returncode:
                said = done.stdout.strip().splitlines()
                raise UserError("\n".join([f"{name}: dpkg can't {what} the packages:", *said[-_SAID:]]))


def check_complete(name: str, status: str) -> None:
    """Raise UserError unless every package of a dpkg status file is installed and has what it depends on."""
    bad = []
    for paragraph in status.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields["Status"] != "install ok installed":
            bad.append(f"{fields['Package']} ({fields['Status']})")
    if bad:
        raise UserError(f"{name}: dpkg left packages unfinished: {', '.join(bad)}; see what their postinst needs")


def make(options: argparse.Namespace) -> None:
    """Configure the packages in the stage, and write the outputs."""
    stage = Stage(options.stage, options.runtime.absolute())
    plan = json.loads(options.packages.read_text())
    base: list[dict[str, str]] = plan["base"]
    layers: list[dict[str, str]] = plan["layers"]
    whole = [part for layer in base for part in read_parts(Path(layer["contents"]))]
    below = {path: placed.entry for path, placed in stack(whole, options.name).items()}
    configured = list(below.values())
    for layer in layers:
        for part in read_parts(Path(layer["contents"])):
            below |= {entry.path: entry for entry in part.entries}
    for needed in ("usr/bin/dpkg", "usr/bin/sh"):
        if needed not in below:
            raise UserError(f"{options.name}: no package has /{needed}, which it takes to configure them; add one")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    image = stage.image
    prepare(stage, options.root, *([Path(layer["blob"]) for layer in group] for group in (base, layers)))
    configure(options.name, stage, [Path(deb) for deb in plan["debs"]], to_record(image, configured))
    check_complete(options.name, (image / "var/lib/dpkg/status").read_text())
    add_users(options.name, image, options.user)
    above = read_tree(image, parse_record(stage.record.read_text()))
    entries = difference(below, above)
    sources: dict[str, Source] = {entry.path: image / entry.path if entry.path in above else b"" for entry in entries}
    parts = [Part(options.name, entries, sources)]
    write_outputs(options.name, parts, layer_outputs(options), options.compression, zstd_program(options), ["*"])
    accounts = parse_accounts((image / "etc/passwd").read_text(), (image / "etc/group").read_text())
    options.accounts.write_text(accounts.to_json())


def in_stage(runtime: Path, arguments: Sequence[str]) -> int:
    """Call this tool again in a namespace that has a tmpfs; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix=".configure.", dir=os.getcwd()) as folder:
        # As in run_in_root: no --uid 0, which who isn't root couldn't map once more; no --unshare-pid, because
        # bubblewrap looks for its processes in this /proc.
        words = [str(runtime.absolute() / "bin/bwrap"), "--unshare-user", "--unshare-ipc"]
        words += ["--die-with-parent", "--dev-bind", "/", "/", "--tmpfs", folder, "--chdir", os.getcwd(), "--"]
        words += [str(runtime / "bin/python3"), "-ISB", sys.path[0], *arguments, "--stage", folder]
        return subprocess.run(words, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """The command line; with --stage it is called by itself."""
    parser = argparse.ArgumentParser(prog="configure", description=__doc__)
    add_layer_options(parser)
    parser.add_argument("--accounts", type=Path, required=True)
    places = 'JSON: {"base": [{blob, contents}], "layers": [{blob, contents}], "debs": [...]}, as paths'
    parser.add_argument("--packages", type=Path, required=True, help=places)
    parser.add_argument("--root", type=Path, required=True, help="the archive of the root container-build")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:NUMBER", help="a user to add")
    parser.add_argument("--stage", type=Path)
    options = parser.parse_args(arguments)
    if not options.stage:
        return in_stage(options.runtime, arguments)
    make(options)
    return 0


if __name__ == "__main__":
    run(main)
