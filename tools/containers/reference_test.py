"""Names, tags and addresses of registries."""

import pytest

from tools.containers.reference import Address, check_name, check_tag, parse_reference, parse_registry
from tools.lib.errors import UserError


@pytest.mark.parametrize("tag", ["1.0", "_x", "A-b.c_d", "a" * 128])
def test_tags(tag: str) -> None:
    assert check_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", "-x", ".x", "a b", "a/b", "a+b", "a" * 129, "1.0\n"])
def test_tags_that_are_not_allowed(tag: str) -> None:
    with pytest.raises(UserError, match="isn't allowed as a tag"):
        check_tag(tag)


@pytest.mark.parametrize("name", ["a", "group/a-b", "a.b/c_d/e__f/g--h"])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "a//b", "/a", "a/", "a..b", "a___b", "-a"])
def test_names_that_are_not_allowed(name: str) -> None:
    with pytest.raises(UserError, match="isn't allowed as an image's name"):
        check_name(name)


def test_references() -> None:
    assert parse_reference("me/image:1.0") == ("me/image", "1.0")
    for text in ("me/image", "host:5000/image"):
        with pytest.raises(UserError, match="has no tag: expected NAMESPACE/NAME:TAG"):
            parse_reference(text)


@pytest.mark.parametrize(
    ("text", "base", "namespace"),
    [
        ("localhost:5000", "http://localhost:5000", ""),
        ("registry.example", "https://registry.example", ""),
        ("http://registry.example:80/", "http://registry.example:80", ""),
        ("https://registry.example/my/group", "https://registry.example", "my/group"),
        ("[::1]:5000", "http://[::1]:5000", ""),
    ],
)
def test_registries(text: str, base: str, namespace: str) -> None:
    assert parse_registry(text) == Address(base, namespace)


def test_repositories() -> None:
    assert parse_registry("localhost/group").repository("image") == "group/image"
    assert parse_registry("localhost:1").repository("image") == "image"
    assert parse_registry("localhost:1/x").host == "localhost:1"


@pytest.mark.parametrize("text", ["ftp://x", "https://", "https://x:port", "https://x?y", "https://x/Big"])
def test_what_is_no_registry(text: str) -> None:
    with pytest.raises(UserError):
        parse_registry(text)


def test_passwords_are_not_shown() -> None:
    for text in ("https://me:secret@x", "me:secret@x", "ftp://me:secret@x"):
        with pytest.raises(UserError) as caught:
            parse_registry(text)
        assert "secret" not in str(caught.value)
