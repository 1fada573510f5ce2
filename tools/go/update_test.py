"""What Go prints becomes a lock; a stand-in for Go says what the real one says."""

import hashlib
import json
from pathlib import Path

import pytest

from tools.go.update import Go, main, parse_modules, resolve
from tools.lib.errors import UserError


def entry(folder: Path, path: str) -> dict[str, str]:
    (folder / "zip").write_bytes(b"zip")
    return {"Path": path, "Version": "v1.0.0", "Sum": "h1:x", "Zip": str(folder / "zip")}


def test_downloads(tmp_path: Path) -> None:
    text = "\n".join(json.dumps(entry(tmp_path, path), indent=1) for path in ("a.org/a", "b.org/b"))
    found = parse_modules(text)
    assert [module.path for module in found] == ["a.org/a", "b.org/b"]
    assert (found[0].h1, found[0].sha256) == ("h1:x", hashlib.sha256(b"zip").hexdigest())
    with pytest.raises(UserError, match="Go can't fetch what is needed: a.org/a@v1: 404"):
        parse_modules(json.dumps({"Path": "a.org/a", "Error": "a.org/a@v1: 404"}))


def test_a_go_mod_names_one_program(tmp_path: Path) -> None:
    go = Go(tmp_path / "none", {})
    with pytest.raises(UserError, match="it must name one program, by a line: tool PACKAGE; there are 0"):
        resolve(go, "module x\n", tmp_path)


def test_what_go_says_is_passed_on(tmp_path: Path) -> None:
    program = tmp_path / "go"
    program.write_text('#!/bin/sh\necho "no such host" >&2\nexit 1\n')
    program.chmod(0o755)
    with pytest.raises(UserError, match="Go can't resolve it: no such host"):
        resolve(Go(program, {"PATH": "/bin:/usr/bin"}), "module x\n\ntool a.org/a\n", tmp_path)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "containers/one").mkdir(parents=True)
    (tmp_path / "containers/one/go.mod").touch()
    with pytest.raises(UserError, match="containers/two/go.mod: no such file; there are: one"):
        main(["--workspace", str(tmp_path), "two"])
