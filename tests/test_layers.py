"""Imports run one way, and each engine is imported in one place (DESIGN: the layout)."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "retrieval"
SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
ENGINES = {
    "faiss": {"retrieval.binary_index"},
    "usearch": {"retrieval.int8_store"},
    "numkong": {"retrieval.scan_kernels"},
    "openvino": {"retrieval.openvino_encoder"},
    "torch": {"retrieval.torch_encoder"},
    "sentence_transformers": {"retrieval.torch_encoder"},
}
LOWEST = {"retrieval.results", "retrieval.errors"}
FOLDERS = {
    "retrieval",
    "retrieval.corpus",
    "retrieval.corpus.python",
    "retrieval.corpus.readers",
    "retrieval.hub",
    "retrieval.ui",
    "retrieval.ui.benchmarks",
    "retrieval.ui.hood",
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


def test_the_files_were_found() -> None:
    assert {"retrieval", "retrieval.searcher", "retrieval.binary_index", "retrieval.corpus.base"} <= MODULES.keys()


def test_every_folder_is_known() -> None:
    assert {module_name(path.parent / "__init__.py") for path in SOURCES} == FOLDERS


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_imported_in_one_module(engine: str) -> None:
    users = {name for name, tree in MODULES.items() if any(top(each) == engine for each in imports(tree))}
    assert users == ENGINES[engine]


def test_gradio_stays_in_the_ui() -> None:
    users = {name for name, tree in MODULES.items() if any(top(each) == "gradio" for each in imports(tree))}
    assert all(name.startswith("retrieval.ui") for name in users)


@pytest.mark.parametrize(
    ("module", "above"),
    [
        ("retrieval.searcher", {"retrieval.indexer", "retrieval.evaluation", "retrieval.ui"}),
        ("retrieval.indexer", {"retrieval.searcher", "retrieval.evaluation", "retrieval.ui"}),
        ("retrieval.evaluation", {"retrieval.indexer", "retrieval.ui"}),
        ("retrieval.corpus.sources", {"retrieval.searcher", "retrieval.indexer", "retrieval.encoder", "retrieval.ui"}),
        ("retrieval.encoder", {"retrieval.bundle", "retrieval.searcher", "retrieval.corpus"}),
    ],
)
def test_whatever_a_module_rests_on_is_below_it(module: str, above: set[str]) -> None:
    assert module in MODULES, "it was moved or renamed: name it here as it is called now"
    assert not {name for name in rests_on(module) if any(f"{name}.".startswith(f"{each}.") for each in above)}


def rests_on(module: str) -> set[str]:
    """Returns all modules of the package that `module` imports, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = own_imports(waiting.pop()) - found
        found |= new
        waiting.extend(new)
    return found


def test_results_and_errors_import_nothing_of_the_package() -> None:
    assert {name: own_imports(name) for name in LOWEST} == {name: set() for name in LOWEST}


def test_no_module_imports_through_the_package() -> None:
    """`from retrieval import X` inside of it would run everything, and in a circle."""
    for name, tree in MODULES.items():
        if not name.startswith("retrieval.ui"):
            assert "retrieval" not in imports(tree), name


def test_there_is_no_circle() -> None:
    order = list(TopologicalSorter({name: own_imports(name) for name in MODULES}).static_order())
    assert order.index("retrieval.errors") < order.index("retrieval.searcher")


def test_the_package_never_imports_scripts_tests_or_app() -> None:
    for name, tree in MODULES.items():
        assert not {top(each) for each in imports(tree)} & {"scripts", "tests", "app"}, name


def top(module: str) -> str:
    return module.partition(".")[0]
