"""//farm:verify: a clean cache is verified; results that this machine makes differently are named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client
from tests.farm.farm import Farm, error
from tests.integration.workspace import Result


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A cache alone."""
    farm = Farm(tmp_path_factory.mktemp("farm"), 8998)
    assert farm.up("--workers", "0").code == 0
    yield farm
    farm.command("down")


@pytest.fixture(scope="module")
def undeclared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the machine that an action reads without saying so."""
    path = tmp_path_factory.mktemp("undeclared") / "file"
    path.write_text("of the machine that filled the cache\n")
    return path


@pytest.fixture(scope="module")
def client(farm: Farm, undeclared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A workspace whose targets have been built into the cache."""
    rules = {"steady": "echo steady > $@", "leak": f"cat {undeclared} > $@", "random": "echo $$RANDOM$$RANDOM > $@"}
    client = Client(tmp_path_factory.mktemp("client"), rules)
    client.rule("after", "cat $(location :leak) > $@", ":leak")
    done = client.bazel("build", "//...", "--config=cache", f"--remote_cache={farm.address}")
    assert done.code == 0, done.err
    yield client
    client.bazel("shutdown")


def verify(farm: Farm, client: Client, *words: str, address: str = "") -> Result:
    """Run //farm:verify in the client's workspace."""
    option = f"--option=--remote_cache={address or farm.address}"
    return farm.command("verify", option, *words, extra={"BUILD_WORKSPACE_DIRECTORY": str(client.root)})


def test_a_clean_cache(farm: Farm, client: Client) -> None:
    done = verify(farm, client, "--sample", "0", "//:steady", "//:leak", "//:after")
    assert done.code == 0, done.out + done.err
    assert done.out.endswith("3 cached results compared with this machine's: the same bytes\n")


def test_what_differs_is_named(farm: Farm, client: Client, undeclared: Path) -> None:
    undeclared.write_text("of this machine\n")
    done = verify(farm, client, "--sample", "0", "//...")
    assert done.code == 1, done.err
    lines = done.out.splitlines()
    assert [line.partition(" (Genrule)")[0] for line in lines[1:-1]] == ["DIFFERS: //:leak", "DIFFERS: //:random"]
    assert lines[1].endswith("bin/leak.txt")
    # What is made from the differing file has other inputs here, and isn't to blame.
    assert lines[-1] == "3 cached results compared with this machine's: 2 differ"


def test_a_sample(farm: Farm, client: Client) -> None:
    done = verify(farm, client, "--sample", "1", "--seed", "3", "//:steady", "//:random")
    assert done.out.splitlines()[0] in ("verified: //:steady", "verified: //:random")


def test_nothing_to_compare(farm: Farm, client: Client) -> None:
    client.rule("new", "echo new > $@")
    assert "//:new: nothing of it is in the cache" in error(verify(farm, client, "//:new"))
    # Looking wrote nothing.
    assert "//:new: nothing of it is in the cache" in error(verify(farm, client, "//:new"))
    assert "//:none: no targets to verify" in error(verify(farm, client, "//:none"))
    said = error(verify(farm, client, "//:steady", address="grpc://127.0.0.1:8999"))
    assert "the cache can't be used: Failed to query remote execution capabilities" in said


def test_a_forged_result_is_named(farm: Farm, client: Client, tmp_path: Path) -> None:
    client.rule("forged", "echo honest > $@")
    words = ("--config=cache", f"--remote_cache={farm.address}")
    log = tmp_path / "execution.json"
    done = client.bazel("build", "//:forged", *words, f"--execution_log_json_file={log}")
    assert done.code == 0, done.err
    action = json.loads(log.read_text())["digest"]
    # Who may write puts another result in its place, and who trusts the cache gets it.
    farm.ask("forge", f"{action['hash']}/{action['sizeBytes']}", "forged\n")
    assert client.fresh_build("//:forged", *words).code == 0
    assert client.output("forged") == "forged\n"
    done = verify(farm, client, "--sample", "0", "//:forged", "//:steady")
    assert done.code == 1, done.err
    lines = done.out.splitlines()
    assert [line.partition(" (Genrule)")[0] for line in lines[1:-1]] == ["DIFFERS: //:forged"]
    assert lines[-1] == "2 cached results compared with this machine's: 1 differ"
