"""An image's configuration and manifest, from a rule's attributes and the metadata of the layers.

Format: OCI image specification 1.1, config.md and manifest.md; `Healthcheck` is Docker's addition, which docker and
podman read from an OCI configuration, too.
"""

import json
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.containers.accounts import Accounts
from tools.containers.contents import FILE
from tools.containers.layer import Metadata
from tools.containers.tree import Placed, find
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
CREATED = datetime.fromtimestamp(SOURCE_DATE_EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
# What docker and podman can lay over one another (overlayfs takes 128 folders, one is the container's own).
MOST_LAYERS = 127
_SECOND = 1_000_000_000  # Docker counts a health check's times in nanoseconds
_PORT = re.compile(r"(?P<number>[1-9]\d{0,4})(/(tcp|udp|sctp))?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Spec:
    """The attributes of the rule container_image that its configuration has. Empty ones are the base image's."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = ""
    ports: Sequence[str] = ()
    volumes: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    health_check: Sequence[str] = ()
    health_seconds: Mapping[str, int] = field(default_factory=dict)
    health_retries: int = 0


def container_config(image: str, spec: Spec, accounts: Accounts | None, base: Mapping[str, Any]) -> dict[str, Any]:
    """The part `config` of a configuration, over that of the base. Raises UserError, which begins with `image`."""
    config = dict(base)
    if spec.entrypoint:
        # A new program has nothing to do with the base's arguments, as in a Dockerfile.
        config.pop("Cmd", None)
        config["Entrypoint"] = list(spec.entrypoint)
    if spec.cmd:
        config["Cmd"] = list(spec.cmd)
    env = dict(line.split("=", 1) for line in config.get("Env", []))
    for name, value in spec.env.items():
        if not _VARIABLE.fullmatch(name):
            raise UserError(f"{image}: env: '{name}' is no name of a variable; use letters, digits and underscores")
        env[name] = value
    env.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    config["Env"] = [f"{name}={value}" for name, value in sorted(env.items())]
    if spec.user:
        config["User"] = _user(image, spec.user, accounts)
    if spec.workdir:
        config["WorkingDir"] = _absolute(image, "workdir", spec.workdir)
    if spec.ports:
        config["ExposedPorts"] = config.get("ExposedPorts", {}) | {_port(image, port): {} for port in spec.ports}
    if spec.volumes:
        volumes: dict[str, dict[str, str]] = {_absolute(image, "volumes", volume): {} for volume in spec.volumes}
        config["Volumes"] = config.get("Volumes", {}) | volumes
    if spec.labels:
        config["Labels"] = config.get("Labels", {}) | dict(spec.labels)
    if spec.stop_signal:
        if spec.stop_signal not in signal.Signals.__members__:
            names = ", ".join(sorted(name for name in signal.Signals.__members__ if name.startswith("SIG")))
            raise UserError(f"{image}: stop_signal: there is no '{spec.stop_signal}'; choose one of: {names}")
        config["StopSignal"] = spec.stop_signal
    if spec.health_check:
        times = {name: seconds * _SECOND for name, seconds in spec.health_seconds.items() if seconds}
        retries = {"Retries": spec.health_retries} if spec.health_retries else {}
        config["Healthcheck"] = {"Test": ["CMD", *spec.health_check], **times, **retries}
    return config


def _user(image: str, user: str, accounts: Accounts | None) -> str:
    """The numbers of a user: a runtime that demands another user than root can't read names."""
    if accounts is None:
        if re.fullmatch(r"\d+(:\d+)?", user):
            return user
        raise UserError(f"{image}: user: no layer says who '{user}' is; add a package_layer, or give numbers")
    uid, gid = accounts.resolve(user, f"{image}: user")
    return f"{uid}:{gid}"


def _absolute(image: str, what: str, path: str) -> str:
    if not path.startswith("/"):
        raise UserError(f"{image}: {what}: '{path}' is no absolute path of a container")
    return path


def _port(image: str, port: str) -> str:
    match = _PORT.fullmatch(port)
    if not match or int(match["number"]) > 65535:
        raise UserError(f"{image}: ports: '{port}' is no port; expected one like 6379 or 53/udp")
    return port if match[2] else f"{port}/tcp"


def check_program(image: str, config: Mapping[str, Any], tree: Mapping[str, Placed], whole: bool = True) -> None:
    """Raise UserError unless what the container starts is there and may be executed. A tree that isn't `whole` may
    lack it."""
    words = [*config.get("Entrypoint", []), *config.get("Cmd", [])]
    if not words:
        raise UserError(f"{image}: nothing says what the container starts; give `entrypoint` or `cmd`")
    if not words[0].startswith("/"):
        raise UserError(f"{image}: '{words[0]}' is no absolute path; give the program's, such as /usr/bin/{words[0]}")
    entry = find(tree, words[0])
    if entry is None and not whole:
        return
    if entry is None or entry.type != FILE:
        raise UserError(f"{image}: no layer has the program {words[0]}; add the layer that has it, or correct the path")
    if not entry.mode & 0o111:
        raise UserError(
            f"{image}: {words[0]} has mode {entry.mode:04o} and can't be executed; give it 0755 in `modes` of its layer"
        )


def configuration(config: Mapping[str, Any], layers: Sequence[Metadata]) -> str:
    """The configuration's text."""
    history = [{"created": CREATED, "created_by": layer.name} for layer in layers]
    return _json(
        {
            "created": CREATED,
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": history,
        }
    )


def manifest(config: Mapping[str, Any], layers: Sequence[Metadata]) -> str:
    """The manifest's text; `config` is the configuration's descriptor."""
    descriptors = [
        {"mediaType": layer.mediaType, "digest": layer.digest, "size": layer.size} for layer in layers
    ]
    return _json({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": descriptors})


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
