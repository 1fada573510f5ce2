"""Repositories of real packages: what their indexes say, that their bytes are always the same, and mistakes."""

import gzip
import hashlib
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

RUNTIME = Path("../tool_runtime").resolve()
PACKAGES = Path("tests/packages")
NAMES = {"deb": ["Packages", "Packages.gz", "Release"], "rpm": ["repomd.xml", "primary.xml.gz"]}


def index(folder: Path, kind: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool in its root, as the rule does; it leaves NAMES of the kind in `folder`."""
    inputs = {file: f"/forge/packages/{number}-{file.name}" for number, file in enumerate(files)}
    return subprocess.run(
        [
            *(RUNTIME / "bin/python3", "-ISB", Path("tools/roots/run_in_root.pyz").resolve(), "--runtime", RUNTIME),
            *("--layer", f"{Path('roots/package-repository.tar').resolve()}=/"),
            *(word for file, place in inputs.items() for word in ("--input", f"{file.resolve()}={place}")),
            *("--tool", Path("tools/packages/repository.pyz").resolve()),
            *(word for name in NAMES[kind] for word in ("--output", f"{name}={folder / name}")),
            *("--", "--kind", kind, "--release", "R1.0", "--distribution", "any", "--output", "/out"),
            *(f"{place}={file.name}" for file, place in inputs.items()),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_apt_s_index() -> None:
    folder = PACKAGES / "ours-deb-repository"
    packages = (folder / "Packages").read_bytes()
    assert gzip.decompress((folder / "Packages.gz").read_bytes()) == packages
    digest = hashlib.sha256((PACKAGES / "ours-deb.deb").read_bytes()).hexdigest()
    for line in ("Package: forge-hello", "Version: 1.0", "Filename: packages/ours-deb.deb", f"SHA256: {digest}"):
        assert f"{line}\n" in packages.decode()
    release = (folder / "Release").read_text()
    for line in ("Origin: contrail-forge", "Suite: R1.0", "Codename: trixie", "Date: Wed, 01 Jan 2025 00:00:00 +0000"):
        assert f"{line}\n" in release
    for name in ("Packages", "Packages.gz"):
        content = (folder / name).read_bytes()
        assert re.search(rf"^ {hashlib.sha256(content).hexdigest()} +{len(content)} {name}$", release, re.MULTILINE)


def test_dnf_s_index() -> None:
    folder = PACKAGES / "ours-rpm-repository/repodata"
    listed = {
        data.attrib["type"]: (data[0].text, data.find("{*}location"))
        for data in ElementTree.parse(folder / "repomd.xml").getroot().iterfind("{*}data")
    }
    assert set(listed) == {"primary", "filelists", "other"}
    for kind, (digest, location) in listed.items():
        assert location is not None and location.attrib["href"] == f"repodata/{kind}.xml.gz"
        assert hashlib.sha256((folder / f"{kind}.xml.gz").read_bytes()).hexdigest() == digest
    primary = gzip.decompress((folder / "primary.xml.gz").read_bytes()).decode()
    assert hashlib.sha256((PACKAGES / "ours-rpm.rpm").read_bytes()).hexdigest() in primary
    assert 'href="packages/ours-rpm.rpm"' in primary


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_the_same_bytes_whatever_the_files_times(tmp_path: Path, kind: str) -> None:
    package = tmp_path / "p"
    package.write_bytes((PACKAGES / f"ours-{kind}.{kind}").read_bytes())
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        done = index(folder, kind, package)
        assert done.returncode == 0, done.stderr
        made.append({file: (folder / file).read_bytes() for file in NAMES[kind]})
        package.touch()
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_mistakes(tmp_path: Path, kind: str) -> None:
    text = tmp_path / f"text.{kind}"
    text.write_text("no package\n")
    ours, again = PACKAGES / f"ours-{kind}.{kind}", PACKAGES / f"again-{kind}.{kind}"
    for files, message in (
        ([text], f"error: text.{kind}: no .{kind} package: "),
        ([ours, again], f"error: ours-{kind}.{kind} and again-{kind}.{kind} are both forge-hello 1.0"),
    ):
        done = index(tmp_path, kind, *files)
        assert done.returncode == 1
        assert message in done.stderr and "Traceback" not in done.stderr
        assert not [name for name in NAMES[kind] if (tmp_path / name).exists()]
