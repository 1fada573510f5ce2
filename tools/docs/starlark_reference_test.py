"""The reference shows what the sources say, and a stale page is noticed."""

from pathlib import Path

import pytest

from tools.docs import update
from tools.docs.starlark_reference import reference
from tools.lib.errors import UserError

DEFS = '''"""Things."""

load("//things/private:thing.bzl", _ThingInfo = "ThingInfo", _thing = "thing")

ThingInfo = _ThingInfo
thing = _thing

def make_things(name, count = 2):
    """Make several things.

    Args:
      name: their name.
      count: how many.
    """
'''
THING = '''
ThingInfo = provider("A thing.", fields = {"size": "int: how large, in bytes."})

thing = rule(
    implementation = _impl,
    doc = "Makes a thing.",
    attrs = {
        "size": attr.int(doc = "How large | in bytes.", mandatory = True),
        "colour": attr.string(doc = "Its colour.", default = "red"),
        "_tool": attr.label(default = "//tool"),
    } | MORE,
)
'''


def _workspace(folder: Path, domain: str = "things") -> Path:
    private = folder / domain / "private"
    private.mkdir(parents=True)
    (folder / domain / "defs.bzl").write_text(DEFS.replace("//things", f"//{domain}"))
    (private / "thing.bzl").write_text(THING)
    return folder


def test_reference_has_rules_providers_and_functions(tmp_path: Path) -> None:
    page = reference(_workspace(tmp_path) / "things/defs.bzl", tmp_path)
    assert page.startswith("# `//things:defs.bzl`\n\nThings.\n")
    assert "| `size` | int | required | How large \\| in bytes. |" in page
    assert "| `colour` | string | `'red'` | Its colour. |" in page
    assert "| `size` | int: how large, in bytes. |" in page
    assert "make_things(name, count=2)" in page
    assert "_tool" not in page


def test_unreadable_source_names_file_and_line(tmp_path: Path) -> None:
    defs = _workspace(tmp_path) / "things/defs.bzl"
    defs.write_text("thing = (\n")
    with pytest.raises(UserError, match=r"defs\.bzl:\d+: not readable"):
        reference(defs, tmp_path)


def test_check_fails_on_a_stale_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "DOMAINS", ("things",))
    _workspace(tmp_path)
    (tmp_path / "docs/reference").mkdir(parents=True)
    assert update.main(["--workspace", str(tmp_path)]) == 0
    assert update.main(["--workspace", str(tmp_path), "--check"]) == 0
    source = tmp_path / "things/private/thing.bzl"
    source.write_text(source.read_text().replace("Its colour.", "Another text."))
    with pytest.raises(UserError, match="stale; run: ./bazelw run //docs:update"):
        update.main(["--workspace", str(tmp_path), "--check"])
