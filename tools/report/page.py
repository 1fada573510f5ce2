"""The frame of every page: one file with its style and script inside, which loads nothing."""

import base64
import hashlib
from importlib.resources import files

from tools.report.text import escape

_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,{icon}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
<script>
{script}</script>
</body>
</html>
"""
_ICON = (
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Ccircle cx='4' cy='4' r='4' fill='%23{}'/%3E%3C/svg%3E"
)
_ICON_COLOURS = {"green": "1a7f37", "red": "c62828", "yellow": "b7791f", "grey": "7a828c"}


def _resource(name: str) -> str:
    return files("tools.report").joinpath(name).read_text(encoding="utf-8")


def page(title: str, body: str, name: str, state: str) -> str:
    """The page of `body`, with common.css, NAME.css and NAME.js. `state` colours its icon in the tab.

    Its policy forbids to load anything and to run any other script than ours, whatever a VM printed.
    """
    script = _resource(f"{name}.js")
    # The digest is of all that stands between the tags.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return _FRAME.format(
        policy=policy,
        icon=_ICON.format(_ICON_COLOURS[state]),
        title=escape(title),
        style=_resource("common.css") + _resource(f"{name}.css"),
        body=body,
        script=script,
    )
