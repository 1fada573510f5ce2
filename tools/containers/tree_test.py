"""Layers over one another, and what must not be in two of them."""

import pytest

from tools.containers.contents import DIRECTORY, FILE, HARDLINK, SYMLINK, Contents, Entry
from tools.containers.tree import find, stack
from tools.lib.errors import UserError

LOWER = Contents(
    "packages",
    [
        Entry("bin", SYMLINK, 0o777, target="usr/bin"),
        Entry("etc", DIRECTORY, 0o755),
        Entry("etc/a", FILE, size=1, sha256="1" * 64),
        Entry("usr/bin/a", FILE, 0o755),
        Entry("usr/bin/b", HARDLINK, target="usr/bin/a"),
    ],
)


def over(*entries: Entry, overrides: tuple[str, ...] = ()) -> list[Contents]:
    return [LOWER, Contents("//x:files", entries, overrides)]


def test_upper_layers_replace_and_delete() -> None:
    new = Entry("etc/a", FILE, size=2, sha256="2" * 64)
    tree = stack(over(new, Entry("usr/.wh.bin", FILE), overrides=("etc/*",)), "//x")
    assert sorted(tree) == ["bin", "etc", "etc/a"]
    assert (tree["etc/a"].entry, tree["etc/a"].layer) == (new, "//x:files")


def test_the_same_twice_is_no_conflict() -> None:
    assert "etc/a" in stack(over(LOWER.entries[1], LOWER.entries[2]), "//x")
    assert stack(over(Entry("usr/bin/b", FILE, 0o755)), "//x")["usr/bin/b"].entry.type == FILE


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry("etc/a", FILE, size=2, sha256="2" * 64), r"/etc/a: packages has a file 0644 0:0, 1 bytes, SHA-256 11.*; "
         r"//x:files has a file 0644 0:0, 2 bytes, SHA-256 222.*; keep one, or name the path in `overrides`"),
        (Entry("etc", DIRECTORY, 0o700), "/etc: packages has a directory 0755 0:0; //x:files has a directory 0700 0:0"),
        (Entry("bin/c", FILE), "/bin/c of //x:files: /bin is a symbolic link in packages; write /usr/bin/c"),
        (Entry("etc/a/b", FILE), "/etc/a/b of //x:files: /etc/a is a file in packages"),
    ],
)  # fmt: skip
def test_conflicts_are_named(entry: Entry, message: str) -> None:
    with pytest.raises(UserError, match=message):
        stack(over(entry), "//x")


def test_many_conflicts_are_cut() -> None:
    below = Contents("a", [Entry(f"f{number:02}", FILE) for number in range(25)])
    above = Contents("b", [Entry(f"f{number:02}", FILE, uid=1) for number in range(25)])
    with pytest.raises(UserError) as raised:
        stack([below, above], "//x")
    lines = str(raised.value).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 5 more"


def test_links_are_followed() -> None:
    links = (
        Entry("loop", SYMLINK, target="loop"),
        Entry("usr/up", SYMLINK, target="../bin/./a"),
        Entry("abs", SYMLINK, target="/usr/up"),
    )
    tree = stack(over(*links), "//x")
    for path in ("/bin/a", "/usr/bin/../bin/a", "/usr/up", "/abs", "//bin//a"):
        found = find(tree, path)
        assert found and found.path == "usr/bin/a"
    assert find(tree, "/loop") is None
    assert find(tree, "/bin/none") is None
