"""The corpus: everything documented in this interpreter, as rows."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from retrieval.corpus.base import COMMON_SCHEMA, CorpusInfo
from retrieval.corpus.python.modules import package_modules, stdlib_modules
from retrieval.corpus.python.names import Item, Namer, distinct, items_from_source
from retrieval.corpus.python.runtime import probe_modules
from retrieval.corpus.python.source import SourceFile, read_source
from retrieval.corpus.python.urls import PYTHON_DOCS, url_of
from retrieval.corpus.python.wording import capped, docstring_of, stub_of, summary, text_of
from retrieval.errors import CorpusError

SCHEMA = pa.schema([*COMMON_SCHEMA, ("qualified_name", pa.string()), ("kind", pa.string()), ("package", pa.string())])
BATCH_ROWS = 1024
DEFAULT_PACKAGES = ("numpy", "pandas")
DEFAULT_MODULE_TIMEOUT_S = 30.0
CREDITS = {"numpy": "numpy: NumPy Developers, BSD-3-Clause", "pandas": "pandas: pandas developers, BSD-3-Clause"}
EXAMPLES = (
    "read a csv file into a table",
    "run a shell command and get its output",
    "replace text with a regular expression",
    "merge two tables on a common column",
    "create a temporary file that is deleted afterwards",
    "run functions in several processes in parallel",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the corpus, its fields in the order of the columns."""

    text: str
    body: str
    url: str | None
    group: str | None
    quality: float
    qualified_name: str
    kind: str
    package: str


class PythonCorpus:
    """Every documented public function, method, property and class of the standard library and of chosen packages.

    Args:
        packages: installed packages to document next to the standard library, by the name they are imported under.
        module_timeout_s: how long one module may take to import before it is read from its source alone.

    Raises:
        CorpusError: if one of `packages` is not installed.
    """

    columns: Mapping[str, str] = MappingProxyType({})
    notes = ()

    def __init__(
        self, packages: Sequence[str] = DEFAULT_PACKAGES, *, module_timeout_s: float = DEFAULT_MODULE_TIMEOUT_S
    ) -> None:
        names = (packages,) if isinstance(packages, str) else tuple(packages)
        self._packages = tuple(dict.fromkeys(name for name in names if name not in sys.stdlib_module_names))
        self._module_timeout_s = module_timeout_s
        self._modules = [*stdlib_modules(), *(module for each in self._packages for module in package_modules(each))]

    @cached_property
    def info(self) -> CorpusInfo:
        """Returns what the manifest and the page say about this source."""
        version = platform.python_version()
        names = [f"Python {version}", *(f"{name}{_version_of(name)}" for name in self._packages)]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        credits = [CREDITS.get(name, f"{name}: its authors, under its own licence") for name in self._packages]
        return CorpusInfo(
            name="python",
            title=f"{listed}: documented functions, methods and classes",
            attribution="; ".join(["Python: Python Software Foundation, PSF License Version 2", *credits]),
            attribution_url=f"{PYTHON_DOCS}/license.html",
            body_language="python",
            examples=EXAMPLES,
        )

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows once they have been read, None before."""
        rows = self.__dict__.get("_rows")
        return None if rows is None else len(rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows by package and qualified name. The first call reads the documentation, in a few seconds."""
        for start in range(0, len(self._rows), BATCH_ROWS):
            rows = self._rows[start : start + BATCH_ROWS]
            columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in SCHEMA]
            yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)

    @cached_property
    def _rows(self) -> list[Row]:
        modules = self._modules
        probe = probe_modules(
            [module.name for module in modules if module.importable], module_timeout_s=self._module_timeout_s
        )
        if "builtins" not in probe.names:
            raise CorpusError(
                f"the child processes of {sys.executable} report nothing, not even the built-in functions "
                f"({probe.failures.get('builtins', 'no reason given')}). Try again with fewer packages."
            )
        library = _Library()
        items = Namer(probe, modules).items()
        for module in modules:
            source = library.open(module.path) if module.name not in probe.names else None
            if module.path is not None and source is not None:
                items.extend(items_from_source(module, module.path, source))
        rows = (_row(item, library) for item in distinct(items))
        return list({row.text: row for row in rows if row is not None}.values())


class _Library:
    """The source files opened so far, each parsed once."""

    def __init__(self) -> None:
        self._files: dict[Path, SourceFile | None] = {}

    def open(self, path: Path | None) -> SourceFile | None:
        if path is None:
            return None
        if path not in self._files:
            self._files[path] = read_source(path)
        return self._files[path]

    def code(self, item: Item) -> str | None:
        """Returns the source of an item, with its docstring, or None if it has none that could be read."""
        file = None if item.source is None else self.open(Path(item.source[0]))
        if file is None or item.source is None:
            return None
        return file.code(item.source[1], docstring_of(item.doc))


def _version_of(package: str) -> str:
    """Returns a space and the version, or an empty text for packages without a distribution."""
    try:
        return f" {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        for distribution in importlib.metadata.packages_distributions().get(package, ()):
            return f" {importlib.metadata.version(distribution)}"
        return ""


def _row(item: Item, library: _Library) -> Row | None:
    name = item.qualname.rpartition(".")[2]
    sentence = summary(item.doc, name)
    if sentence is None:
        return None
    code = library.code(item)
    return Row(
        text=text_of(item.qualified_name, sentence),
        body=capped(code if code is not None else stub_of(name, item.kind, item.signature, item.doc)),
        url=url_of(item),
        group=None,
        quality=1.0 / max(1, item.qualified_name.count(".")),
        qualified_name=item.qualified_name,
        kind=item.kind,
        package=item.package,
    )
