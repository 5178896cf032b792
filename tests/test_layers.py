"""Imports run one way, folder by folder, and each engine is imported in one place."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "retrieval"
SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def scans(*modules: str) -> set[str]:
    return {f"retrieval.search.scans.{module}" for module in modules}


ENGINES = {
    # Reading and writing sign bits, and the scans of them that faiss computes: each scan is one file.
    "faiss": {
        "retrieval.bundle.binary_file",
        "retrieval.bundle.binary_index",
        *scans("lists", "faiss_bits", "sign_patterns"),
        "retrieval.evaluation.frontier.schemes",
    },
    "usearch": {"retrieval.bundle.int8_store"},
    "pymilvus": {"retrieval.milvus.server"},
    "ray": {"retrieval.indexing.ray_workers"},
    "numkong": {"retrieval.benchmark.scan_kernels"},
    "openvino": {"retrieval.encoding.openvino_model"},
    "torch": {"retrieval.encoding.torch_encoder"},
    "sentence_transformers": {"retrieval.encoding.torch_encoder"},
}
MAY_IMPORT = {
    "errors": set(),
    "system": set(),
    "native": set(),
    "results": set(),
    "quantization": {"errors"},
    "corpus": {"errors"},
    "encoding": {"errors", "system", "quantization"},
    "bundle": {"errors", "system", "native", "results", "quantization", "corpus", "encoding"},
    "milvus": {"errors", "results", "quantization", "bundle"},
    "search": {"errors", "system", "native", "results", "quantization", "encoding", "bundle", "milvus"},
    "indexing": {"errors", "system", "results", "quantization", "corpus", "encoding", "bundle", "search"},
    "evaluation": {"errors", "system", "results", "quantization", "corpus", "encoding", "bundle", "search"},
    "benchmark": {"errors", "system", "results", "quantization", "bundle", "search", "evaluation"},
    "hub": {"errors", "corpus", "encoding", "bundle"},
    "serving": {
        "errors",
        "results",
        "quantization",
        "corpus",
        "encoding",
        "bundle",
        "search",
        "indexing",
        "evaluation",
        "hub",
    },
    "ui": {
        "errors",
        "results",
        "quantization",
        "encoding",
        "bundle",
        "search",
        "evaluation",
        "benchmark",
        "serving",
    },
}
"""The entries of `retrieval/`, lowest first, and which of the others each may import."""
INNER_FOLDERS = {
    "corpus": {"python", "readers"},
    "search": {"explanation", "scans", "stores"},
    "evaluation": {"comparison", "frontier"},
    "benchmark": {"figures"},
    "serving": {"background", "visitor"},
    "ui": {"search", "compare", "hood", "benchmarks", "your_data", "server", "frontier", "frontier/databases"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): tree for path, tree in SOURCES.items()}


def imports(tree: ast.AST) -> set[str]:
    """Returns the full names of the modules that a source imports, anywhere in it, under `if TYPE_CHECKING` too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            assert node.module is not None
            found.add(node.module)
            found.update(name for alias in node.names if (name := f"{node.module}.{alias.name}") in MODULES)
    return found


def own_imports(name: str) -> set[str]:
    """Returns the modules of the package that module `name` imports; a package's `__init__` only when it is meant."""
    found = imports(MODULES[name]) & MODULES.keys()
    return {other for other in found if not any(each.startswith(f"{other}.") for each in found)} - {name}


def entry_of(module: str) -> str:
    """Returns the entry of `retrieval/` that a module lies in or is; "" for the package itself."""
    return module.removeprefix("retrieval").removeprefix(".").partition(".")[0]


def test_every_entry_of_the_package_is_in_the_table() -> None:
    assert {entry_of(name) for name in MODULES} == MAY_IMPORT.keys() | {""}


def test_every_inner_folder_is_in_the_table() -> None:
    folders = {path.parent.relative_to(PACKAGE) for path in SOURCES}
    inner = {Path(entry) / name for entry, names in INNER_FOLDERS.items() for name in names}
    assert {folder for folder in folders if len(folder.parts) > 1} == inner


def test_the_table_has_only_one_direction() -> None:
    entries = list(MAY_IMPORT)
    for entry, allowed in MAY_IMPORT.items():
        assert allowed <= set(entries[: entries.index(entry)]), entry


@pytest.mark.parametrize("entry", MAY_IMPORT)
def test_an_entry_imports_only_what_the_table_allows(entry: str) -> None:
    found = {
        (name, other)
        for name in MODULES
        if entry_of(name) == entry
        for other in own_imports(name)
        if entry_of(other) not in MAY_IMPORT[entry] | {entry, ""}
    }
    assert found == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_imported_only_where_the_table_says(engine: str) -> None:
    users = {name for name, tree in MODULES.items() if any(top(each) == engine for each in imports(tree))}
    assert users == ENGINES[engine]


def test_gradio_stays_in_the_ui() -> None:
    users = {name for name, tree in MODULES.items() if any(top(each) == "gradio" for each in imports(tree))}
    assert all(name.startswith("retrieval.ui") for name in users)


def test_no_module_imports_through_the_package() -> None:
    """`from retrieval import X` inside of it would run everything, and in a circle."""
    for name, tree in MODULES.items():
        if not name.startswith("retrieval.ui"):
            assert "retrieval" not in imports(tree), name


def test_there_is_no_import_cycle() -> None:
    order = list(TopologicalSorter({name: own_imports(name) for name in MODULES}).static_order())
    assert order.index("retrieval.errors") < order.index("retrieval.search.searcher")


def test_the_package_never_imports_scripts_tests_or_app() -> None:
    for name, tree in MODULES.items():
        assert not {top(each) for each in imports(tree)} & {"scripts", "tests", "app"}, name


def top(module: str) -> str:
    return module.partition(".")[0]
