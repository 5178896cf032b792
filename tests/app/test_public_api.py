"""What the package offers, and what importing it must not bring along."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import retrieval

HEAVY = (
    "torch",
    "sentence_transformers",
    "transformers",
    "datasets",
    "gradio",
    "openvino",
    "huggingface_hub",
    "pandas",
)


def test_all_names_are_importable_and_sorted_for_the_reader() -> None:
    missing = [name for name in retrieval.__all__ if not hasattr(retrieval, name)]
    assert missing == []
    assert len(set(retrieval.__all__)) == len(retrieval.__all__)


def test_every_name_the_package_imports_is_offered() -> None:
    tree = ast.parse(Path(inspect.getfile(retrieval)).read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == set(retrieval.__all__)


def test_every_offered_class_and_function_is_documented() -> None:
    offered = [getattr(retrieval, name) for name in retrieval.__all__]
    bare = [each.__name__ for each in offered if callable(each) and not inspect.getdoc(each)]
    assert bare == []


def test_every_error_is_a_retrieval_error_and_is_offered() -> None:
    from retrieval import errors

    own = {name: each for name, each in vars(errors).items() if getattr(each, "__module__", "") == errors.__name__}
    classes = {name: each for name, each in own.items() if inspect.isclass(each)}
    assert all(issubclass(each, retrieval.RetrievalError) for each in classes.values())
    assert classes.keys() <= set(retrieval.__all__)


@pytest.mark.parametrize(
    "module", ["retrieval", "retrieval.search.searcher", "retrieval.indexing.indexer", "retrieval.corpus"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
