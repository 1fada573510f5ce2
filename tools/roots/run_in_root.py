"""Run a command inside a root: unprivileged, without network, with fixed paths, names and clock.

Two bubblewrap calls, one inside the other. The first makes a namespace in which a tmpfs
can be mounted; the archives are unpacked there, which is faster than a disk and vanishes
with the namespace. The second makes the unpacked tree the root file system, read-only.

What the command sees: the layers; a private /tmp and /build (writable); each input at its
place, read-only; /out, where it leaves its outputs; no network; host name "forge"; user
root, which is the calling user; an environment of what is listed here and nothing else.
"""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.clock import clock_environment

HOST_NAME = "forge"
RUNTIME = "/forge/runtime"
TOOL = "/forge/tool.pyz"
# A file that is there until the first namespace is entered.
_OUTSIDE = "outside"
_PASSED = (signal.SIGINT, signal.SIGTERM)
_AGAIN = 0.5  # seconds between two SIGTERM for a command that hasn't ended yet
# The setting, the value that forbids user namespaces to who isn't root, and one that allows them.
_SYSCTLS = (
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
_UNAME = """#!/bin/sh
# The kernel that the action is for, not the one that runs it.
out= ; [ $# -gt 0 ] || set -- -s
for word; do
    case $word in --*) word=$(expr "$word" : '--\\(.\\)') ;; esac
    case $word in -*a*|a) out="Linux {host} {release} #1 SMP x86_64 GNU/Linux"; break ;; esac
    case $word in *s*) out="$out Linux" ;; esac
    case $word in *n*) out="$out {host}" ;; esac
    case $word in *r*) out="$out {release}" ;; esac
    case $word in *v*) out="$out #1 SMP" ;; esac
    case $word in *m*|*p*|*i*) out="$out x86_64" ;; esac
    case $word in *o*) out="$out GNU/Linux" ;; esac
done
echo $out
"""


@dataclass(frozen=True)
class Plan:
    """What to run, with which layers, inputs and outputs.

    layers: (archive, folder in the root) pairs, unpacked in order.
    inputs: (path on the host, place in the root) pairs.
    outputs: (name under /out, path on the host) pairs.
    tool: a python_tool archive that the command's words are arguments for; "" for none.
    release: what `uname -r` answers; never the running kernel's.
    keep: a folder of the host to use as /out; "" for a temporary one.
    devices: device files of the host that are there inside, too, if the host has them.
    network: whether the host's network is visible; only for what a person runs, never for an action.
    signals: whether SIGINT and SIGTERM go to the command, which then ends by itself, instead of ending all at once.
    """

    runtime: str
    command: tuple[str, ...]
    layers: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    cwd: str = "/build"
    release: str = "0.0.0"
    tool: str = ""
    keep: str = ""
    devices: tuple[str, ...] = ()
    network: bool = False
    signals: bool = False

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read back what `json.dumps(asdict(plan))` wrote."""
        content = json.loads(text)
        for name in ("layers", "inputs", "outputs", "environment"):
            content[name] = tuple(tuple(pair) for pair in content[name])
        for name in ("devices", "command"):
            content[name] = tuple(content[name])
        return cls(**content)


def outer_command(plan: Plan, stage: Path, self_command: Sequence[str]) -> list[str]:
    """The command that makes the namespace with a tmpfs at `stage` and calls this tool again in it."""
    return [
        f"{plan.runtime}/bin/bwrap",
        # No --proc here: bubblewrap covers parts of it, and a kernel refuses the inner one a
        # fresh /proc where the outer one isn't wholly visible. No --uid 0 either: a kernel since
        # 5.12 lets only who has CAP_SETFCAP map a parent's user 0 again, as the inner one would.
        "--unshare-user", "--die-with-parent",
        "--dev-bind", "/", "/", "--tmpfs", str(stage),
        "--", *self_command,
    ]  # fmt: skip


def inner_command(plan: Plan, tree: Path, build: Path, out: Path) -> list[str]:
    """The command that makes the unpacked `tree` the root and runs the plan's command."""
    words = [
        f"{plan.runtime}/bin/bwrap",
        "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
        *([] if plan.network else ["--unshare-net"]),
        "--uid", "0", "--gid", "0", "--hostname", HOST_NAME, "--die-with-parent",
        "--bind", str(tree), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--bind", str(build), "/build", "--bind", str(out), "/out",
    ]  # fmt: skip
    for device in plan.devices:
        words += ["--dev-bind-try", device, device]
    for source, place in plan.inputs:
        words += ["--ro-bind", os.path.realpath(source), place]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "USER": "root",
        "LOGNAME": "root",
        "LANG": "C",
        "LC_ALL": "C",
        "TZ": "UTC",
        "TERM": "dumb",
        "SHELL": "/bin/sh",
    }
    command = list(plan.command)
    if plan.tool:
        # In a sandbox the runtime's files are links to the real ones: bind the folder of those.
        python = Path(plan.runtime, "bin/python3").resolve()
        words += ["--ro-bind", str(python.parents[1]), RUNTIME]
        words += ["--ro-bind", os.path.realpath(plan.tool), TOOL]
        command = [f"{RUNTIME}/bin/python3", "-ISB", TOOL, *command]
    else:
        environment |= clock_environment(tree)
    environment |= dict(plan.environment)
    words += ["--remount-ro", "/", "--clearenv"]
    for name, value in sorted(environment.items()):
        words += ["--setenv", name, value]
    return [*words, "--chdir", plan.cwd, "--", *command]


def unpack(runtime: str, archive: str, folder: Path) -> None:
    """Unpack one layer into a folder. Raises UserError with what tar(1) said."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"{runtime}/bin/tar", "-xpf", archive, "-C", str(folder)]
    done = subprocess.run(
        # /bin and the like are links in a root's archive, whatever a package says.
        [*words, "--no-same-owner", "--delay-directory-restore", "--keep-directory-symlink"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        # tar(1) goes on after an error; the first line says what it is.
        said = done.stderr.strip().partition("\n")[0]
        if "No space left" in done.stderr:
            said, mend = "no space left", "roots are unpacked in memory: free some, or run less at once (--jobs=N)"
        else:
            mend = "remove the file, so that Bazel makes it anew"
        raise UserError(f"{archive}: cannot unpack: {said}; {mend}")


def make_mount_points(tree: Path) -> None:
    """The folders of a root that `inner_command` mounts something on."""
    for name in ("build", "out", "tmp", "proc", "dev", "forge"):
        (tree / name).mkdir(exist_ok=True)


def _unpack(plan: Plan, stage: Path) -> tuple[Path, Path]:
    """Unpack the layers into `stage`; returns the tree of the root and that of /build."""
    tree, build = stage / "root", stage / "build"
    for folder in (tree, build):
        folder.mkdir()
    for archive, place in plan.layers:
        inside = Path(place.lstrip("/"))
        folder = build.joinpath(*inside.parts[1:]) if inside.parts[:1] == ("build",) else tree / inside
        unpack(plan.runtime, archive, folder)
    make_mount_points(tree)
    for _, place in plan.inputs:
        (tree / place.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    uname = tree / "usr/local/bin/uname"
    uname.parent.mkdir(parents=True, exist_ok=True)
    uname.write_text(_UNAME.format(host=HOST_NAME, release=plan.release))
    uname.chmod(0o755)
    return tree, build


def _namespace_error() -> UserError:
    """What keeps bubblewrap, which has said why itself, from making the first namespace."""
    for name, forbids, allows in _SYSCTLS:
        file = Path("/proc/sys", name.replace(".", "/"))
        if file.exists() and file.read_text().strip() == forbids:
            return UserError(f"user namespaces are switched off by {name}; allow them: sudo sysctl -w {name}={allows}")
    return UserError("bubblewrap can't make a user namespace; a container must be started with the rights to do so")


def run_staged(plan: Plan, stage: Path, out: Path) -> int:
    """Unpack and run; called inside the first namespace. Returns the command's exit code."""
    stage.with_name(_OUTSIDE).unlink()
    tree, build = _unpack(plan, stage)
    code = subprocess.run(inner_command(plan, tree, build, out), check=False).returncode
    return code if code >= 0 else 128 - code


def hold_signals() -> None:
    """Keep SIGINT and SIGTERM for the command of a plan with `signals`: sooner, they would end this beside what is
    just being made. A signal that is blocked isn't lost, as one that is ignored is."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)


def _ignore_signals() -> None:
    for number in _PASSED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)


def _run_passing_signals(words: Sequence[str]) -> int:
    """Run a command line to its end, however it is signalled meanwhile; returns its code as subprocess does.

    What lies between here and the plan's command inherits that it ignores the signals. So does that command
    until it has handlers: SIGTERM is sent again and again until the end.
    """
    hold_signals()
    # A terminal signals all that is in its foreground, and takes input from nobody else.
    terminal = os.isatty(0)
    # Nobody has passed on a Ctrl-C that came already.
    asked = terminal and signal.SIGINT in signal.sigpending()
    heard = _hear((signal.SIGTERM,) if terminal else _PASSED)
    if terminal:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(words, process_group=None if terminal else 0, preexec_fn=_ignore_signals)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
    ended = os.pidfd_open(process.pid)
    while ended not in select.select([ended, heard], [], [], _AGAIN if asked else None)[0]:
        came = _read(heard)
        asked = asked or signal.SIGTERM in came
        for number in {*came, *([signal.SIGTERM] if asked else [])}:
            _signal_group(os.getpgrp() if terminal else process.pid, number)
    return process.wait()


def _hear(numbers: Iterable[int]) -> int:
    """A descriptor from which the numbers of these signals can be read when they come, one byte each.

    A handler's own code would run too late for a signal that comes just before a wait: the wait goes on.
    """
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reading


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _signal_group(group: int, number: int) -> None:
    """Signal all processes of a group but this one."""
    handler = signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        os.killpg(group, number)
    signal.signal(number, handler)


def run_plan(plan: Plan, self_command: Sequence[str]) -> int:
    """Run the plan from outside and put its outputs in place. Returns the command's exit code.

    `self_command` is the command line by which this tool is called again inside.
    """
    if plan.signals:
        hold_signals()
    with tempfile.TemporaryDirectory(prefix=".run-in-root.", dir=os.getcwd()) as scratch:
        stage, out = Path(scratch, "stage"), Path(plan.keep or f"{scratch}/out")
        stage.mkdir()
        out.mkdir(exist_ok=True)
        outside = Path(scratch, _OUTSIDE)
        outside.touch()
        staged = [*self_command, "--staged", str(stage), str(out), json.dumps(asdict(plan))]
        words = outer_command(plan, stage, staged)
        code = _run_passing_signals(words) if plan.signals else subprocess.run(words, check=False).returncode
        if code and outside.exists():
            raise _namespace_error()
        if code:
            return code if code > 0 else 128 - code
        for name, path in plan.outputs:
            produced = out / name
            if not produced.exists():
                raise UserError(f"the command ended well but left no /out/{name}, which was promised as an output")
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            produced.replace(path)
    return 0


def _pair(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected LEFT=RIGHT, got {text!r}")
    return left, right


def _parse(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="run_in_root", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--runtime", required=True, help="the tool runtime's folder")
    parser.add_argument("--layer", action="append", default=[], help="ARCHIVE or ARCHIVE=FOLDER", metavar="LAYER")
    parser.add_argument("--input", action="append", default=[], type=_pair, metavar="PATH=PLACE")
    parser.add_argument("--output", action="append", default=[], type=_pair, metavar="NAME=PATH")
    parser.add_argument("--env", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    parser.add_argument("--cwd", default="/build")
    parser.add_argument("--release", default="0.0.0", help="what uname -r answers")
    parser.add_argument("--tool", default="", help="a python_tool archive that is run inside with the command's words")
    parser.add_argument("--keep", default="", help="a folder to use as /out")
    parser.add_argument("--device", action="append", default=[], help="a device file to let in, if there is one")
    parser.add_argument("--network", action="store_true", help="let the host's network in")
    parser.add_argument("--signals", action="store_true", help="pass SIGINT and SIGTERM on to the command")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    layers = tuple((archive, place or "/") for archive, _, place in (layer.partition("=") for layer in options.layer))
    return Plan(
        runtime=os.path.abspath(options.runtime),
        layers=layers,
        inputs=tuple(options.input),
        outputs=tuple(options.output),
        environment=tuple(options.env),
        cwd=options.cwd,
        release=options.release,
        tool=options.tool,
        keep=options.keep,
        devices=tuple(options.device),
        network=options.network,
        signals=options.signals,
        command=tuple(options.command),
    )


def main(arguments: Sequence[str]) -> int:
    """The command line; `--staged` is how it calls itself inside the namespace."""
    if arguments[:1] == ["--staged"]:
        stage, out, text = arguments[1:]
        return run_staged(Plan.from_json(text), Path(stage), Path(out))
    plan = _parse(arguments)
    return run_plan(plan, [f"{plan.runtime}/bin/python3", "-ISB", sys.path[0]])


if __name__ == "__main__":
    run(main)
