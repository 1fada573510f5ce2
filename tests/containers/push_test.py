"""Pushes to a real registry: what is sent, what is found there afterwards, and what is said when it can't be done."""

import hashlib
import json
import os
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.containers.registry import (
    ELSEWHERE,
    PASSWORD,
    RUNFILES,
    USER,
    Proxy,
    Root,
    Scripted,
    Tokens,
    Wire,
    registry,
    with_users,
)
from tests.containers.synthetic_image import layer, write_layout
from tools.containers.credentials import Credentials
from tools.containers.image import MANIFEST_TYPE

_RUNTIME = RUNFILES.parent / "tool_runtime"
_ME: dict[str, Any] = {"REGISTRY_USERNAME": USER, "REGISTRY_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Result:
    """How a verb ended."""

    code: int
    out: str
    err: str


def words(settings: Path, *arguments: str) -> list[str]:
    """The words that a target runs."""
    python = str(_RUNTIME / "bin/python3")
    return [python, "-ISB", str(RUNFILES / "tools/containers/verbs.pyz"), str(settings), *arguments]


_PUSH_IMAGE = '{"verb": "push_image", "images": []}'


def push_image(archive: Path, reference: str, port: int = 0, **environment: str) -> Result:
    """Run //containers:push_image."""
    with tempfile.NamedTemporaryFile("w") as settings:
        settings.write(_PUSH_IMAGE)
        settings.flush()
        return verb(Path(settings.name), str(archive), reference, port=port, **environment)


def verb(settings: Path, *arguments: str, port: int = 0, **environment: str) -> Result:
    """Run what a target with these settings does, with a registry on this machine."""
    given = {"HOME": "/nowhere", "PATH": os.environ.get("PATH", ""), "REGISTRY_URL": f"http://localhost:{port}"}
    done = subprocess.run(
        words(settings, *arguments),
        env=given | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def error(result: Result) -> str:
    """The one error line."""
    assert result.code == 1, result.out + result.err
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in result.err
    return line


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The registry's root."""
    return Root(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def server(root: Root) -> Iterator[int]:
    """The port of a registry that only USER may use."""
    with registry(root, with_users(root)) as port:
        yield port


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A layout with a small layer and one of three chunks, and its digest."""
    folder = tmp_path_factory.mktemp("image") / "layout"
    return folder, write_layout(folder, [layer(100_000, 1), layer(40_000_000, 2)])


def fetch(port: int, path: str) -> bytes:
    """What a registry has, read by somebody else's client."""
    headers = {"Authorization": Credentials(USER, PASSWORD).basic, "Accept": MANIFEST_TYPE}
    with urlopen(Request(f"http://localhost:{port}/v2/{path}", headers=headers), timeout=60) as stream:
        content: bytes = stream.read()
        return content


def assert_has(port: int, name: str, tag: str, folder: Path, digest: str) -> None:
    """The registry has the same bytes under a tag."""
    manifest = fetch(port, f"{name}/manifests/{tag}")
    assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == digest
    content = json.loads(manifest)
    for entry in [content["config"], *content["layers"]]:
        found = fetch(port, f"{name}/blobs/{entry['digest']}")
        assert found == (folder / "blobs" / entry["digest"].replace(":", "/")).read_bytes()


def test_an_image_and_only_what_changed_of_it(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    folder, digest = image
    wire = Wire(server)
    pushed = push_image(folder, "me/changing:1.0", port=wire.port, **_ME)
    assert pushed.code == 0, pushed.err
    assert pushed.out.splitlines() == [
        f"localhost:{wire.port}/me/changing:1.0",
        f"localhost:{wire.port}/me/changing@{digest}",
    ]
    assert_has(server, "me/changing", "1.0", *image)

    before = wire.up
    again = push_image(folder, "me/changing:1.0", port=wire.port, **_ME)
    assert (again.code, "nothing sent" in again.err) == (0, True), again.err
    assert wire.up - before < 5_000
    before = wire.up
    other = push_image(folder, "me/changing:1.1", port=wire.port, **_ME)
    assert (other.code, "nothing sent" in other.err) == (0, True), other.err
    assert wire.up - before < 10_000

    changed = write_layout(tmp_path / "changed", [layer(100_000, 1), layer(40_000_000, 2), layer(1_000_000, 3)])
    before = wire.up
    assert push_image(tmp_path / "changed", "me/changing:1.0", port=wire.port, **_ME).code == 0
    assert wire.up - before <= 1_200_000
    assert_has(server, "me/changing", "1.0", tmp_path / "changed", changed)
    assert_has(server, "me/changing", "1.1", *image)


def test_a_cut_connection(server: int, image: tuple[Path, str]) -> None:
    wire = Wire(server, cuts=(10_000_000, 5_000_000))
    pushed = push_image(image[0], "me/cut:1", port=wire.port, **_ME)
    assert (pushed.code, wire.cuts_left) == (0, 0), pushed.err
    assert_has(server, "me/cut", "1", *image)


def test_a_connection_that_is_always_cut(server: int, image: tuple[Path, str]) -> None:
    wire = Wire(server, cuts=(5_000_000,) * 1000)
    said = error(push_image(image[0], "me/never:1", port=wire.port, **_ME))
    assert "the connection was cut 6 times while sending sha256:" in said
    missing = push_image(image[0], "me/never:1", port=server, **_ME)
    assert "sent" in missing.err and "nothing sent" not in missing.err


def test_who_is_refused(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    push = (image[0], "me/refused:1")
    assert "wants to know who you are (401); set REGISTRY_USERNAME" in error(push_image(*push, port=server))
    wrong = push_image(*push, port=server, REGISTRY_USERNAME=USER, REGISTRY_PASSWORD="another")
    assert f"user {USER} or the password isn't accepted (401)" in error(wrong)
    half = push_image(*push, port=server, REGISTRY_USERNAME=USER)
    assert "REGISTRY_PASSWORD isn't set" in error(half)
    (tmp_path / "config.json").write_text("{")
    assert "isn't a configuration of docker" in error(push_image(*push, port=server, DOCKER_CONFIG=str(tmp_path)))


def helper(folder: Path, text: str) -> dict[str, Any]:
    """A credential helper of docker's that answers so."""
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\nread host\n{text}\n")
    program.chmod(0o755)
    (folder / "config.json").write_text(json.dumps({"credsStore": "test"}))
    return {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def test_credentials_from_docker(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    push = (image[0], "me/docker:1")
    entry = {"auth": Credentials(USER, PASSWORD).basic.removeprefix("Basic ")}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {f"localhost:{server}": entry}}))
    assert push_image(*push, port=server, DOCKER_CONFIG=str(tmp_path)).code == 0
    answer = json.dumps({"ServerURL": "x", "Username": USER, "Secret": PASSWORD})
    assert push_image(*push, port=server, **helper(tmp_path, f"echo '{answer}'")).code == 0
    nobody = helper(tmp_path, "echo credentials not found in native keychain; exit 1")
    assert "wants to know who you are" in error(push_image(*push, port=server, **nobody))
    failing = helper(tmp_path, f"echo {PASSWORD!r}; exit 3")
    said = error(push_image(*push, port=server, **failing))
    assert "docker-credential-test failed" in said and PASSWORD not in said


def test_tls(root: Root, image: tuple[Path, str]) -> None:
    authority = root.make_authority()
    tls = {"certificate": "/state/tls.crt", "key": "/state/tls.key"}
    with registry(root, {"http": {"tls": tls}}) as port:
        push = (image[0], "me/tls:1")
        url: dict[str, Any] = {"REGISTRY_URL": f"https://localhost:{port}"}
        said = error(push_image(*push, **url))
        assert "its certificate isn't trusted" in said and "REGISTRY_CA_FILE=FILE" in said
        pushed = push_image(*push, **url, REGISTRY_CA_FILE=str(authority))
        assert pushed.code == 0, pushed.err
        other = push_image(*push, REGISTRY_URL=f"https://127.0.0.1:{port}", REGISTRY_CA_FILE=str(authority))
        assert "IP address mismatch" in error(other)
        assert "expected a file with certificates in PEM" in error(
            push_image(*push, **url, REGISTRY_CA_FILE="/etc/hostname")
        )
        assert "HTTPS" in error(push_image(*push, port=port))


def test_a_proxy(root: Root, image: tuple[Path, str]) -> None:
    authority = root.make_authority()
    tls = {"certificate": "/state/tls.crt", "key": "/state/tls.key"}
    push = (image[0], "me/proxy:1")
    url: dict[str, Any] = {"REGISTRY_URL": f"https://{ELSEWHERE}", "REGISTRY_CA_FILE": str(authority)}
    with registry(root, {"http": {"tls": tls}}) as port:
        proxy = Proxy(port)
        with proxy.serve() as there:
            through = url | {"HTTPS_PROXY": f"http://me:{PASSWORD}@localhost:{there}"}
            pushed = push_image(*push, **through)
            assert pushed.code == 0, pushed.err
            who = Credentials("me", PASSWORD).basic
            assert set(proxy.asked) == {f"{ELSEWHERE}:443 {who}"}
            count = len(proxy.asked)
            said = error(push_image(*push, **through, NO_PROXY=ELSEWHERE))
            assert f"https://{ELSEWHERE}: cannot connect: " in said and len(proxy.asked) == count
        gone = error(push_image(*push, **url, HTTPS_PROXY=f"http://me:{PASSWORD}@localhost:1"))
        assert "by HTTPS_PROXY=http://localhost:1: no proxy answers there; correct it" in gone
        assert PASSWORD not in gone
    with Proxy(port, refuse=True).serve() as there:
        refused = error(push_image(*push, **url, HTTPS_PROXY=f"http://localhost:{there}"))
        assert f"by HTTPS_PROXY=http://localhost:{there}: cannot connect: Tunnel connection failed: 407" in refused
    assert "HTTPS_PROXY=socks://localhost: expected http://HOST:PORT" in error(
        push_image(*push, **url, HTTPS_PROXY="socks://localhost")
    )


def test_without_tls(server: int, image: tuple[Path, str]) -> None:
    said = error(push_image(image[0], "me/tls:1", REGISTRY_URL=f"https://localhost:{server}"))
    assert "doesn't speak TLS" in said


def test_tokens(tmp_path: Path, image: tuple[Path, str]) -> None:
    push = (image[0], "me/token:1")
    tokens = Tokens(Root(tmp_path), expired=1)
    with tokens.serve() as there, registry(tokens._root, tokens.settings(there)) as port:
        pushed = push_image(*push, port=port, **_ME)
        assert pushed.code == 0, pushed.err
        assert tokens.given >= 3  # one expired
        wrong = push_image(*push, port=port, REGISTRY_USERNAME=USER, REGISTRY_PASSWORD="another")
        assert f"user {USER} or the password isn't accepted (401)" in error(wrong)
        assert "wants to know who you are" in error(push_image(*push, port=port))
        tokens._actions = ("pull",)
        said = error(push_image(image[0], "me/other:1", port=port, **_ME))
        assert f"the token of user {USER} isn't enough for repository:me/other:pull,push" in said
        tokens._actions, tokens.expired = ("pull", "push"), 1000
        assert "isn't enough" in error(push_image(image[0], "me/third:1", port=port, **_ME))


FOUND: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")
DENIED = b'{"errors": [{"code": "DENIED", "message": "not yours"}]}'


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([FOUND, (403, {}, DENIED)], "not do that (DENIED: not yours)"),
        ([FOUND, (418, {}, b"<html>tea</html>")], "answers 418: <html>tea</html>"),
        ([(204, {}, b"")], "answers 204, as no registry does"),
        ([(401, {}, b"")], "answers 401 and doesn't say how to log in"),
        ([(401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:1/"'}, b"")], "no registry answers there"),
    ],
)  # fmt: skip
def test_answers_of_what_is_no_registry(
    answers: list[tuple[int, dict[str, str], bytes]], said: str, image: tuple[Path, str]
) -> None:
    with Scripted(answers).serve() as port:
        assert said in error(push_image(image[0], "me/image:1", port=port))


def test_a_layer_is_taken_as_no_registry_does(image: tuple[Path, str]) -> None:
    with Scripted([FOUND, (200, {}, b"<html>")], empty=True).serve() as port:
        assert "asked to take a layer of me/image, it answers 200, as no" in error(
            push_image(image[0], "me/image:1", port=port)
        )


def test_too_many_requests_and_faults(image: tuple[Path, str]) -> None:
    push = (image[0], "me/image:1")
    busy = (429, {"Retry-After": "0"}, b"busy")
    script = Scripted([busy, busy, (403, {}, b"now you may ask")])
    with script.serve() as port:
        assert "now you may ask" in error(push_image(*push, port=port))
    assert script.asked == 3
    with Scripted([busy]).serve() as port:
        assert "it answers 429: too many requests (busy); push again later" in error(push_image(*push, port=port))
    with Scripted([(500, {"Retry-After": "0"}, b"broken")]).serve() as port:
        assert "it answers 500: the registry has a fault (broken)" in error(push_image(*push, port=port))


def test_what_speaks_no_http(image: tuple[Path, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(b"220 mail ready\r\n")

        threading.Thread(target=answer, daemon=True).start()
        said = error(push_image(image[0], "me/image:1", port=listener.getsockname()[1]))
    assert "doesn't speak HTTP" in said


def test_nobody_answers(image: tuple[Path, str]) -> None:
    assert "no registry answers there; start it" in error(push_image(image[0], "me/image:1", port=1))


def test_a_full_disk_of_the_registry(tmp_path: Path, image: tuple[Path, str]) -> None:
    root = Root(tmp_path)
    with registry(root, {}, data=("--size", "30000000", "--tmpfs", "/data")) as port:
        said = error(push_image(image[0], "me/full:1", port=port))
        assert "the registry has a fault" in said
        with pytest.raises(OSError, match="404"):
            fetch(port, "me/full/manifests/1")


def test_names_and_archives(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    def push(archive: Path, reference: str) -> str:
        return error(push_image(archive, reference, port=server, **_ME))

    assert "'-1' isn't allowed as a tag" in push(image[0], "me/image:-1")
    assert "'Me/image' isn't allowed as an image's name" in push(image[0], "Me/image:1")
    assert "has no tag: expected NAMESPACE/NAME:TAG" in push(image[0], "me/image")
    text = tmp_path / "text"
    text.write_text("no archive")
    assert f"{text}: isn't an image archive" in push(text, "me/image:1")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(text, "text")
    assert "it has neither oci-layout nor manifest.json" in push(tmp_path / "other.tar", "me/image:1")
    assert "cannot read: No such file" in push(tmp_path / "missing", "me/image:1")
    broken = tmp_path / "broken"
    write_layout(broken, [layer(1000, 5)])
    next(path for path in (broken / "blobs/sha256").iterdir() if path.stat().st_size > 5000).unlink()
    assert "isn't a whole image: it lacks the blob sha256:" in push(broken, "me/image:1")
    changed = tmp_path / "changed"
    write_layout(changed, [layer(1000, 6)])
    large = next(path for path in (changed / "blobs/sha256").iterdir() if path.stat().st_size > 5000)
    large.write_bytes(bytes(large.stat().st_size))
    assert "what arrived isn't sha256:" in push(changed, "me/changed:1")
    with pytest.raises(OSError, match="404"):
        fetch(server, "me/changed/manifests/1")


def test_secrets_stay_where_they_are(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    wire = Wire(server)
    settings = tmp_path / "settings"
    settings.write_text(_PUSH_IMAGE)
    given = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "REGISTRY_URL": f"http://localhost:{wire.port}"}
    arguments = words(settings, str(image[0]), "me/secret:1")
    process = subprocess.Popen(
        arguments,
        env=given | _ME,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )
    seen = b""
    while process.poll() is None and wire.up < 1_000_000:
        time.sleep(0.01)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen += path.read_bytes()
        except OSError:
            continue
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert b"verbs.pyz" in seen
    encoded = Credentials(USER, PASSWORD).basic.removeprefix("Basic ").encode()
    for secret in (PASSWORD.encode(), encoded):
        assert secret not in seen + out + err
    assert [path.name for path in tmp_path.iterdir()] == ["settings"]


def test_a_password_in_the_address(image: tuple[Path, str]) -> None:
    url = f"https://{USER}:{PASSWORD}@localhost:1"
    said = error(push_image(image[0], "me/image:1", REGISTRY_URL=url))
    assert "put user and password into REGISTRY_USERNAME" in said and PASSWORD not in said


def plan(folder: Path, layout: Path, names: Mapping[str, str]) -> Path:
    """What container_image's targets give to the verbs."""
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]

    def place(digest: str) -> str:
        return str(layout / "blobs" / digest.replace(":", "/"))

    content = json.loads(Path(place(manifest)).read_text())
    files = {
        "manifest": place(manifest),
        "config": place(content["config"]["digest"]),
        "layers": [place(entry["digest"]) for entry in content["layers"]],
    }
    file = folder / "plan.json"
    images = [{"name": name, "version": version, **files} for name, version in names.items()]
    file.write_text(json.dumps({"verb": "push", "images": images}))
    return file


def test_push_of_several(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    given = plan(tmp_path, image[0], {"one": "1.0", "two": "1.0"})
    wire = Wire(server)
    url = f"http://localhost:{wire.port}/several"
    pushed = verb(given, **_ME, REGISTRY_URL=url, BUILD_WORKSPACE_DIRECTORY=str(tmp_path))
    assert pushed.code == 0, pushed.err
    assert "pushing without the tag COMMIT-NAME" in pushed.err
    assert wire.up < 41_000_000  # the second takes its layers from the first
    assert "taken from several/one" in pushed.err
    assert_has(server, "several/two", "1.0", *image)


def test_tags_of_a_commit(server: int, image: tuple[Path, str], tmp_path: Path) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho 0123456789012345678901234567890123456789-dirty\n")
    git.chmod(0o755)
    given = plan(tmp_path, image[0], {"group/one": "1.0"})
    place: dict[str, Any] = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert verb(given, port=server, **_ME, **place).code == 0
    for tag in ("1.0", "0123456789012345678901234567890123456789-dirty-group-one"):
        assert_has(server, "group/one", tag, *image)
    bad = plan(tmp_path, image[0], {"one": "1 0"})
    assert "'1 0' isn't allowed as a tag" in error(verb(bad, port=server, **_ME))
