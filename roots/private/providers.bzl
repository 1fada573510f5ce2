"""Providers of roots."""

RootInfo = provider(
    "A root: a small file tree of locked Debian packages, as archives.",
    fields = {
        "archive": "File: a tar that unpacks to the root.",
        "compile": "File: the same without what a compiler can do without, for actions that compile one file.",
        "extras": "dict of string to File: by extra's name, a tar to unpack over the root.",
        "name": "string: the root's name, as in roots/NAME.yaml.",
    },
)
