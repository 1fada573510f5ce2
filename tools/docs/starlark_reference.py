"""Write the reference of a folder's Starlark API, from the docstrings of what its defs.bzl exports.

Starlark's grammar is a part of Python's (https://bazel.build/rules/language), so Python's own
parser reads it.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

_RULES = ("rule", "repository_rule")


@dataclass(frozen=True)
class Symbol:
    """One public name: the file that defines it and the name that it has there."""

    name: str
    file: Path
    original: str


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(), filename=str(path))
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: not readable as Starlark: {error.msg}") from error


def _text(node: ast.expr | None) -> str:
    """The text of a string literal; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _label_file(label: str, workspace: Path, folder: Path) -> Path:
    """The file of a load() label: "//pkg:file.bzl" or ":file.bzl"."""
    package, _, name = label.rpartition(":")
    return (workspace / package.removeprefix("//") if package else folder) / name


def public_symbols(defs: Path, workspace: Path) -> tuple[str, list[Symbol]]:
    """The docstring of a defs.bzl and its public names, followed to where they are defined."""
    tree = _parse(defs)
    loaded: dict[str, Symbol] = {}
    symbols: dict[str, Symbol] = {}
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "load":
            label, *names = node.value.args
            if _text(label).startswith("@"):
                continue
            file = _label_file(_text(label), workspace, defs.parent)
            loaded |= {_text(name): Symbol(_text(name), file, _text(name)) for name in names}
            loaded |= {alias: Symbol(alias, file, _text(name)) for alias, name in _keywords(node.value).items()}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if isinstance(node.value, ast.Name) and node.value.id in loaded and not name.startswith("_"):
                origin = loaded[node.value.id]
                symbols[name] = Symbol(name, origin.file, origin.original)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            symbols[node.name] = Symbol(node.name, defs, node.name)
    return ast.get_docstring(tree) or "", [symbols[name] for name in sorted(symbols, key=str.lower)]


def _definition(symbol: Symbol) -> ast.FunctionDef | ast.expr | None:
    """What the symbol stands for in its file."""
    for node in _parse(symbol.file).body:
        if isinstance(node, ast.FunctionDef) and node.name == symbol.original:
            return node
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == symbol.original:
            return node.value
    return None


def _attributes(node: ast.expr | None) -> Mapping[str, ast.Call]:
    """The public attributes of a rule; those that come by `| NAME` are the rule's own business."""
    while isinstance(node, ast.BinOp):
        node = node.left
    if not isinstance(node, ast.Dict):
        return {}
    return {
        _text(key): value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(value, ast.Call) and not _text(key).startswith("_")
    }


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _rule(name: str, call: ast.Call) -> str:
    words = _keywords(call)
    lines = [f"## {name}", "", _text(words.get("doc")), ""]
    lines += ["| attribute | type | default | meaning |", "| --- | --- | --- | --- |"]
    for attribute, value in sorted(_attributes(words.get("attrs")).items()):
        given = _keywords(value)
        kind = ast.unparse(value.func).removeprefix("attr.")
        mandatory = isinstance(given.get("mandatory"), ast.Constant)
        default = "required" if mandatory else (f"`{ast.unparse(given['default'])}`" if "default" in given else "")
        lines.append(f"| `{attribute}` | {kind} | {default} | {_cell(_text(given.get('doc')))} |")
    return "\n".join(lines)


def _provider(name: str, call: ast.Call) -> str:
    words = _keywords(call)
    doc = _text(call.args[0]) if call.args else _text(words.get("doc"))
    fields = words.get("fields")
    lines = [f"## {name}", "", doc, "", "| field | meaning |", "| --- | --- |"]
    if isinstance(fields, ast.Dict):
        pairs = {_text(key): _text(value) for key, value in zip(fields.keys, fields.values, strict=True)}
        lines += [f"| `{field}` | {_cell(text)} |" for field, text in sorted(pairs.items())]
    return "\n".join(lines)


def _function(name: str, node: ast.FunctionDef) -> str:
    doc = ast.get_docstring(node) or ""
    return f"## {name}\n\n```python\n{name}({ast.unparse(node.args)})\n```\n\n```text\n{doc}\n```"


def reference(defs: Path, workspace: Path) -> str:
    """The Markdown page of one defs.bzl. Raises UserError for a file that can't be read as Starlark."""
    title = defs.parent.relative_to(workspace)
    intro, symbols = public_symbols(defs, workspace)
    sections = [f"# `//{title}:defs.bzl`", intro]
    for symbol in symbols:
        found = _definition(symbol)
        if isinstance(found, ast.FunctionDef):
            sections.append(_function(symbol.name, found))
        elif isinstance(found, ast.Call) and ast.unparse(found.func) in _RULES:
            sections.append(_rule(symbol.name, found))
        elif isinstance(found, ast.Call) and ast.unparse(found.func) == "provider":
            sections.append(_provider(symbol.name, found))
    return "\n\n".join(section.strip() for section in sections) + "\n"
