"""Imports Gradio in two thirds of the time.

At every import Gradio writes type stubs next to its own sources: for each component it parses the source again and
renders a template. That helps developers in an editor; a server that starts has no use for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_MODULE = "gradio.component_meta"
_WRITER = "create_or_modify_pyi"


@contextmanager
def without_stubs() -> Iterator[None]:
    """Lets the block import Gradio without the stubs. If Gradio no longer writes any, this changes nothing."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def without_stub() -> Iterator[None]:
    """Lets the block define a component, once Gradio is imported, without a stub next to our own source."""
    module = sys.modules[_MODULE]
    writer = getattr(module, _WRITER, None)
    setattr(module, _WRITER, _write_nothing)
    try:
        yield
    finally:
        setattr(module, _WRITER, writer)


def _write_nothing(*_: object) -> None:
    """Stands in for what writes stubs."""


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == _MODULE else None
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _WRITER):
            setattr(module, _WRITER, _write_nothing)
