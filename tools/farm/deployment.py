"""//farm:configuration: the farm's parts for machines that are looked after by systemd.

The folder `farm` is for /farm on the machine, `root` for /opt/contrail-forge/ROLE, `systemd` for
/etc/systemd/system. The services are those that //farm:up starts, each in the root that it has there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tools.farm.configuration import write_configuration
from tools.farm.root import ENVIRONMENT, INSIDE, USER, remove, unpack
from tools.farm.services import Service, services
from tools.farm.settings import Settings, State, check
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

ROLES = ("server", "worker")
ROOTS = "/opt/contrail-forge"
_REDIS_PORT = 6379


def _quote(word: str) -> str:
    """A word of a command, as systemd.service(5) reads it; %H is its own for the host's name."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


def _unit(name: str, command: Sequence[str], service: Service, after: Iterable[str], more: Sequence[str] = ()) -> str:
    root = "worker" if service.worker else "server"
    environment = sorted((ENVIRONMENT | dict(service.environment)).items())
    needed = " ".join(f"farm-{other}.service" for other in after)
    lines = [
        "[Unit]",
        f"Description=Contrail Forge farm: {name}",
        "Wants=network-online.target",
        f"After=network-online.target {needed}".rstrip(),
        *([f"Requires={needed}"] if needed else []),
        *[line for line in more if line.startswith("Condition")],
        "",
        "[Service]",
        *[line for line in more if not line.startswith("Condition")],
        f"RootDirectory={ROOTS}/{root}",
        "MountAPIVFS=yes",
        "TemporaryFileSystem=/tmp:mode=1777",
        f"BindPaths={INSIDE}",
        "BindReadOnlyPaths=-/etc/hosts -/etc/resolv.conf",
        f"WorkingDirectory={INSIDE}",
        f"User={USER}",
        f"Group={USER}",
        *[f"Environment={_quote(f'{key}={value}')}" for key, value in environment],
        # A command's name is looked for there, in the root.
        f"ExecSearchPath={ENVIRONMENT['PATH']}",
        f"ExecStart={' '.join(map(_quote, command))}",
    ]
    return "\n".join(lines)


def units(found: Sequence[Service]) -> dict[str, str]:
    """The text of each unit by its file's name."""
    texts: dict[str, str] = {}
    before: list[str] = []
    for service in found:
        needed = list(before)
        if service.before and service.done:
            # The database is made once; bringing its tables up to date does no harm at each start.
            once = [f"ConditionPathExists=!{service.done}"] if service.done.name == "PG_VERSION" else []
            name = f"{service.name}-prepare"
            more = [*once, "Type=oneshot"]
            texts[f"farm-{name}.service"] = _unit(name, service.before, service, needed, more) + "\n"
            needed.append(name)
        running = ["Restart=always", "RestartSec=2", f"KillSignal={service.stop}"]
        if service.wait:
            # Units that come after this one wait for its end.
            running.append(f"ExecStartPost={' '.join(map(_quote, service.wait))}")
        text = _unit(service.name, service.command, service, needed, running)
        texts[f"farm-{service.name}.service"] = f"{text}\n\n[Install]\nWantedBy=multi-user.target\n"
        if not service.name.startswith("worker-"):
            before.append(service.name)
    return texts


def write_deployment(role: str, settings: Settings, templates: Path, output: Path) -> str:
    """Write the files for a server or a worker. Returns what to tell the user; raises UserError for a mistake."""
    if settings.tls:
        raise UserError("--tls is for //farm:up; make a certificate (//farm:certificate) and give its files")
    if (role == "worker") != bool(settings.server):
        raise UserError("--server: a worker needs the server's address, and a server none")
    if role == "server":
        settings = replace(settings, workers=0)
    check(settings)
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output}: isn't empty; give --output another folder")
    write_configuration(State(output / "farm"), settings, templates, _REDIS_PORT)
    (output / "systemd").mkdir()
    for name, text in units(services(settings, State(Path(INSIDE)), _REDIS_PORT, "", host="%H")).items():
        write_atomically(output / "systemd" / name, text)
    return f"{output}: a {role}'s files; docs/remote.md says where they go"


def write_root(tar: Path, layers: Sequence[Path], output: Path) -> None:
    """Add the root that the services run in. Raises UserError, and removes `output`, when there is no space."""
    try:
        unpack(tar, layers, output / "roots").rename(output / "root")
        (output / "roots").rmdir()
    except BaseException:
        remove(output)
        raise
