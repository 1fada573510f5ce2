"""An agent that checks out and runs a command, and a worker that joins a farm and executes for it.

The farm runs in the network that the daemon's containers have.
"""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.docker_client import loaded, wait_for
from tests.farm.client import wait_until
from tests.farm.farm import Farm
from tests.integration.workspace import runfile
from tools.farm.main import running_roots
from tools.farm.root import INSIDE
from tools.farm.settings import State

IMAGE = Image()
# What an agent or worker needs besides docker's defaults (containers/ci-agent/README.md). docker's command line makes
# these settings of the option systempaths=unconfined.
NESTED = {"SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"], "MaskedPaths": [], "ReadonlyPaths": []}
HEALTH = "/usr/local/bin/health.sh"
_SETTINGS = {
    "FARM_SERVER": "grpcs://localhost:8980",
    "FARM_TOKEN_FILE": "/home/ci/worker.token",
    "FARM_TLS_AUTHORITY": "/home/ci/authority.crt",
    "AGENT_MODE": "worker",
}


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with loaded(IMAGE, tmp_path_factory.mktemp("docker")) as pair:
        yield pair


def enter(docker: Any) -> list[str]:
    """The words before a command that runs in the network of the daemon's containers; DOCKER_HOST's have this one."""
    inside = docker[1].inside
    return [sys.executable, str(runfile("tests/farm/namespaces.py")), "enter", str(inside)] if inside else []


@pytest.fixture(scope="module")
def farm(docker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm without workers, with TLS and tokens."""
    folder = tmp_path_factory.mktemp("farm")
    farm = Farm(folder, wrapper=enter(docker))
    try:
        started = farm.up("--workers", "0", "--tls")
        assert started.code == 0, started.err
        yield farm
    finally:
        farm.command("down")


@pytest.fixture
def start(docker: Any) -> Iterator[Any]:
    """Starts containers, which end with the test; `files` are put into the container's /home/ci first."""
    client, started = docker[0], []

    def run(*command: str, files: dict[str, bytes] | None = None, nested: bool = True, **settings: Any) -> Any:
        host = client.api.create_host_config(network_mode="host") | (NESTED if nested else {})
        made = client.api.create_container(IMAGE.tag, list(command) or None, host_config=host, **settings)
        container = client.containers.get(made["Id"])
        started.append(container)
        if files:
            container.put_archive("/home/ci", archive(files))
        container.start()
        return container

    yield run
    for container in started:
        container.remove(force=True, v=True)


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.uid, member.gid = len(content), 1000, 1000
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def worker(start: Any, farm: Farm, **environment: str) -> Any:
    files = {"worker.token": farm.token("worker").read_bytes(), "authority.crt": farm.authority.read_bytes()}
    container = start(environment=_SETTINGS | environment, files=files)
    wait_for("the worker is well", lambda: container.exec_run(HEALTH).exit_code == 0, container)
    return container


def execute(docker: Any, farm: Farm, *command: str) -> "subprocess.Popen[str]":
    """Start an action by a client of buildbox's; it ends as the action does."""
    roots = running_roots(State(farm.state))
    assert roots
    token = farm.token("writer")
    options = ("--ro-bind", str(token), "/tmp/token", "--ro-bind", str(farm.state / "hosts"), "/etc/hosts")
    words = ["trexe", "--remote=https://localhost:8980", f"--server-cert={INSIDE}/secrets/authority.crt"]
    words += ["--access-token=/tmp/token", "--platform-properties=OSFamily=linux,ISA=x86-64", "--do-not-cache"]
    words += ["--skip-cache-lookup", "--", *command]
    line = [*enter(docker), *roots.enter(farm.state, words, worker=True, options=options)]
    return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, _ = process.communicate(timeout=300)
    return process.returncode, out


def test_a_worker_joins_a_farm_and_executes(docker: Any, farm: Farm, start: Any) -> None:
    container = worker(start, farm, FARM_JOBS="1")
    # The action makes namespaces of its own, as every one of ours does, and has no network.
    sandbox = "bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc cat /proc/1/comm"
    code, said = ended(execute(docker, farm, "sh", "-c", f"hostname; {sandbox}; cat /proc/net/dev | wc -l"))
    assert code == 0, said
    assert said.split() == ["worker", "bwrap", "3"]
    assert farm.token("worker").read_bytes() not in container.logs()
    # A container that is stopped gives back what it hasn't finished: the next worker does it.
    gate = "/farm/worker/tmp"
    waiting = execute(docker, farm, "sh", "-c", f"touch {gate}/reached; until test -e {gate}/open; do sleep 0.1; done")
    wait_for("the action runs", lambda: container.exec_run(["test", "-e", f"{gate}/reached"]).exit_code == 0, container)
    container.stop(timeout=120)
    assert container.wait()["StatusCode"] == 0, container.logs().decode()
    assert waiting.poll() is None
    second = worker(start, farm, FARM_JOBS="2", FARM_PROPERTIES="gpu=no")
    wait_for("it runs again", lambda: second.exec_run(["test", "-e", f"{gate}/reached"]).exit_code == 0, second)
    assert second.exec_run(["touch", f"{gate}/open"]).exit_code == 0
    code, said = ended(waiting)
    assert code == 0, said
    # A worker is well as long as the farm answers.
    farm.command("down")
    wait_until("the worker isn't well", lambda: second.exec_run(HEALTH).exit_code != 0)
    assert farm.up("--workers", "0", "--tls").code == 0
    wait_for("it is well again", lambda: second.exec_run(HEALTH).exit_code == 0, second)


def test_what_keeps_a_container_from_sandboxes_is_said(start: Any) -> None:
    for environment in ({}, {"AGENT_MODE": "worker", "FARM_SERVER": "grpc://localhost"}):
        container = start(environment=environment, nested=False)
        assert container.wait()["StatusCode"] == 77, container.logs().decode()
        assert "error: actions can't make user namespaces within each other here" in container.logs().decode()


def test_an_agent_runs_a_command_in_a_checkout(start: Any) -> None:
    """The repository is made in the container, by a first start; a second one has the same /home/ci."""
    script = (
        "cd ~ && git init -qb main r && cd r && git config user.name n && git config user.email e && echo one > f && "
        "git add f && git commit -qm 1 && git tag v1 && echo two > f && git commit -qam 2 && git checkout -qb topic && "
        "echo three > f && git commit -qam 3 && git checkout -q main && cd && for r in '' main v1 topic none; do "
        "AGENT_REPOSITORY=$HOME/r AGENT_REVISION=$r entrypoint.sh cat f; echo $?; done; "
        "entrypoint.sh sh -c 'exit 7'; echo $?"
    )
    container = start("sh", "-c", script)
    assert container.wait()["StatusCode"] == 0, container.logs().decode()
    assert container.logs(stderr=False).decode().split() == [
        *("two", "0"), *("two", "0"), *("one", "0"), *("three", "0"), "64", "7",
    ]  # fmt: skip
    assert "AGENT_REVISION='none': expected a branch, tag or commit of /home/ci/r" in container.logs().decode()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AGENT_MODE": "server"}, "error: AGENT_MODE='server': expected one of: agent worker"),
        ({"AGENT_CHECKOUT": "/none"}, "error: AGENT_CHECKOUT='/none': expected a folder"),
        ({"AGENT_REVISION": "main"}, "error: AGENT_REVISION='main': expected AGENT_REPOSITORY with it"),
        ({"AGENT_REPOSITORY": "/none"}, "error: AGENT_REPOSITORY='/none': expected a git repository"),
        ({"AGENT_REPOSITORY": "https://me:s3cret@host/r"}, "error: AGENT_REPOSITORY: it has a password"),
        ({"AGENT_MODE": "worker"}, "error: FARM_SERVER='': expected grpc://HOST:PORT"),
        (_SETTINGS, "error: FARM_TOKEN_FILE='/home/ci/worker.token': expected a file that user"),
    ],
)
def test_a_wrong_variable_is_named(start: Any, environment: dict[str, str], message: str) -> None:
    container = start(environment=environment)
    assert container.wait()["StatusCode"] == 64, container.logs().decode()
    said = container.logs().decode()
    assert message in said and "s3cret" not in said and "Traceback" not in said
