"""The same bytes in another path, output base, time, host, user, locale and umask: kernels of every line, an image.

What the outer Bazel built is compared with what a nested one builds from nothing.
"""

import os
from hashlib import sha256
from pathlib import Path

from tests.integration.workspace import Workspace, runfile

TARGETS = os.environ["TARGETS"].split()
FILES = os.environ["FILES"].split()
# As another user of another machine: bubblewrap gives the ids and the host name, the shell the umask.
ELSEWHERE = [
    str(runfile("../tool_runtime/bin/bwrap")),
    *("--unshare-user", "--uid", "12345", "--gid", "54321"),
    *("--unshare-uts", "--hostname", "elsewhere", "--dev-bind", "/", "/"),
    *("sh", "-c", 'umask 077; exec "$@"', "sh"),
]
ENVIRONMENT = {
    "USER": "someone",
    "LOGNAME": "someone",
    "LC_ALL": "C",
    "LANG": "C",
    "TZ": "Pacific/Auckland",
    "PATH": f"/nowhere:{os.environ['PATH']}",
    "CFLAGS": "-O0",
    "MAKEFLAGS": "-k",
    "SOURCE_DATE_EPOCH": "1",
}


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file that is compared, by its path below bazel-bin."""
    found = {}
    for name in FILES:
        path = folder / name
        for file in [path] if path.is_file() else sorted(path.iterdir()):
            with file.open("rb") as stream:
                digest = sha256()
                while block := stream.read(1 << 20):
                    digest.update(block)
            found[str(file.relative_to(folder))] = digest.hexdigest()
    return found


def test_same_bytes_elsewhere(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "a folder/elsewhere", ELSEWHERE)
    result = workspace.bazel("build", *TARGETS, extra=ENVIRONMENT)
    assert result.code == 0, result.err
    here, there = digests(Path()), digests(workspace.root / "bazel-bin")
    assert len([name for name in here if name.endswith(".ko")]) == len([name for name in TARGETS if "latest." in name])
    assert here == there
