"""Reads what Python source documents, with `ast`: nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROPERTY_DECORATORS = frozenset({"property", "cached_property"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class, method or property in a file."""

    qualname: str
    """Dotted inside the module, such as `Popen.communicate`."""
    kind: str
    """`function`, `class` or `property`; a method is a function with a dot in its `qualname`."""
    doc: str | None
    first_line: int
    """From 1, decorators included."""
    body_line: int
    """Where the first statement inside begins: after the signature."""
    last_line: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The definitions of one file."""

    definitions: dict[str, Definition]
    """By `qualname`, in the order of the file."""
    exported: frozenset[str] | None
    """`__all__`, where it is written as a plain list; None if the module has none or computes it."""
    lines: tuple[str, ...]

    def code(self, qualname: str, made_docstring: str = "") -> str | None:
        """Returns the source of a definition, or None if there is none of that name.

        Args:
            qualname: the dotted name inside the module.
            made_docstring: the literal to show where the source has no docstring, because it is made at run time.
        """
        definition = self.definitions.get(qualname)
        if definition is None:
            return None
        head = self.lines[definition.first_line - 1 : definition.body_line - 1]
        body = self.lines[definition.body_line - 1 : definition.last_line]
        if definition.doc is not None:
            return "\n".join((*head, *body))
        if not head or not made_docstring:
            return None  # all on one line: there is no place for it
        indent = " " * (len(body[0]) - len(body[0].lstrip()))
        return "\n".join((*head, textwrap.indent(made_docstring, indent), *body))

    def public(self) -> Iterator[Definition]:
        """Yields the definitions that have no private part in their name and that `__all__`, if any, allows."""
        for definition in self.definitions.values():
            parts = definition.qualname.split(".")
            exported = self.exported is None or parts[0] in self.exported
            if exported and not any(part.startswith("_") for part in parts):
                yield definition


def read_source(path: Path) -> SourceFile | None:
    """Returns the definitions of a file, or None if it is not readable Python for this interpreter."""
    try:
        text = importlib.util.decode_source(path.read_bytes())
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # Python 2, templates, null bytes, unknown encodings: packages carry such files along
    definitions: dict[str, Definition] = {}
    for definition in _definitions(tree.body, ""):
        earlier = definitions.get(definition.qualname)
        # Overloads and fallbacks define a name again: the documented one counts.
        if earlier is None or earlier.doc is None:
            definitions[definition.qualname] = definition
    return SourceFile(definitions, _exported(tree), tuple(text.split("\n")))


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _definition(node, prefix, "property" if _is_property(node) else "function")
        elif isinstance(node, ast.ClassDef):
            yield _definition(node, prefix, "class")
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If):
            yield from _definitions(node.body + node.orelse, prefix)
        elif isinstance(node, ast.Try):
            handlers = [statement for handler in node.handlers for statement in handler.body]
            yield from _definitions(node.body + handlers + node.orelse + node.finalbody, prefix)
        elif isinstance(node, ast.With):
            yield from _definitions(node.body, prefix)


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, prefix: str, kind: str) -> Definition:
    return Definition(
        qualname=prefix + node.name,
        kind=kind,
        doc=ast.get_docstring(node, clean=False) or _doc_of_init(node),
        first_line=_first_line(node),
        body_line=_first_line(node.body[0]),
        last_line=node.end_lineno or node.lineno,
    )


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _doc_of_init(node: ast.AST) -> str | None:
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.FunctionDef) and child.name == "__init__":
                return ast.get_docstring(child, clean=False)
    return None


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    for decorator in node.decorator_list:
        name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", None)
        if name in PROPERTY_DECORATORS:
            return True
    return False


def _exported(tree: ast.Module) -> frozenset[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == "__all__" for target in node.targets):
            try:
                names = ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                return None
            return (
                frozenset(name for name in names if isinstance(name, str)) if isinstance(names, (list, tuple)) else None
            )
    return None
