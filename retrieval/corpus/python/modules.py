"""Which modules are documented, found without importing any of them."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
import pkgutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus.python.catalogue import (
    DOCUMENTED_SUBMODULES,
    NEVER_IMPORTED,
    NEVER_READ,
    NOT_PUBLIC_PARTS,
    STDLIB_SUBMODULES,
)
from retrieval.errors import CorpusError

STDLIB = "stdlib"
"""The `package` of what comes with Python."""


@dataclass(frozen=True, slots=True)
class Module:
    """A public module."""

    name: str
    package: str
    """`stdlib`, or the package it belongs to."""
    path: Path | None
    """Its Python source, if it has any."""

    @property
    def importable(self) -> bool:
        """Returns whether importing it is harmless: no window, no browser, no output."""
        return not any(self.name == name or self.name.startswith(f"{name}.") for name in NEVER_IMPORTED)


def stdlib_modules() -> list[Module]:
    """Returns the documented modules of the standard library, by name."""
    tops = [name for name in sys.stdlib_module_names if not name.startswith("_") and name not in NEVER_READ]
    search = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    names = sorted({*tops, *STDLIB_SUBMODULES})
    return [Module(name, STDLIB, _source_path(name, search)) for name in names]


def package_modules(package: str) -> list[Module]:
    """Returns the public modules of an installed package, the package itself first.

    Raises:
        CorpusError: if no such package is installed.
    """
    spec = _find_top(package)
    if spec is None:
        raise CorpusError(_not_installed(package))
    top = Module(package, package, _python_file(spec))
    if package in DOCUMENTED_SUBMODULES:
        names = [f"{package}.{name}" for name in DOCUMENTED_SUBMODULES[package]]
        search = spec.submodule_search_locations or []
        parent = str(Path(search[0]).parent) if search else ""
        return [top, *(Module(name, package, _source_path(name, [parent])) for name in names)]
    return [top, *_walk(package, package, spec.submodule_search_locations or [])]


def is_public(name: str) -> bool:
    """Returns whether no part of a dotted module name marks it as private, a test or third-party code."""
    return not any(
        part.startswith(("_", "test_")) or part.endswith("_test") or part in NOT_PUBLIC_PARTS
        for part in name.split(".")[1:]
    )


def _walk(package: str, prefix: str, locations: Sequence[str]) -> Iterator[Module]:
    for info in sorted(pkgutil.iter_modules(list(locations)), key=lambda info: info.name):
        name = f"{prefix}.{info.name}"
        if not is_public(name):
            continue
        spec = importlib.machinery.PathFinder.find_spec(name, list(locations))
        yield Module(name, package, _python_file(spec))
        if info.ispkg and spec is not None:
            yield from _walk(package, name, spec.submodule_search_locations or [])


def _source_path(name: str, search: Sequence[str]) -> Path | None:
    """Returns the source of a dotted module below the folders `search`."""
    parts = name.split(".")
    spec, locations = None, list(search)
    for depth in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), locations)
        if spec is None:
            return None
        locations = list(spec.submodule_search_locations or [])
    return _python_file(spec)


def _python_file(spec: importlib.machinery.ModuleSpec | None) -> Path | None:
    origin = None if spec is None else spec.origin
    return Path(origin) if origin is not None and origin.endswith(".py") else None


def _find_top(package: str) -> importlib.machinery.ModuleSpec | None:
    if not package.isidentifier():  # a dotted name would import its parent here
        return None
    try:
        return importlib.util.find_spec(package)
    except (ImportError, ValueError):  # ValueError: a module put together by hand, without a spec
        return None


def _not_installed(package: str) -> str:
    for name, distributions in importlib.metadata.packages_distributions().items():
        if package.lower() in (distribution.lower() for distribution in distributions) and not name.startswith("_"):
            return f"{package!r} is the name of a distribution: its package is imported as {name!r}. Use {name!r}."
    top = package.partition(".")[0]
    if top != package and top.isidentifier():
        return f"{package!r} is not a top-level package: only whole packages are documented. Use {top!r}."
    return (
        f"the package {package!r} is not installed in this interpreter ({sys.executable}), so its documentation "
        f"cannot be read. Install it with: {sys.executable} -m pip install {package}"
    )
