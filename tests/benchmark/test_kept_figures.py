"""What was measured, kept with an index: found again, and in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest

from retrieval.benchmark.figures.kept import keep_figures, kept_figures
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BENCHMARK_FILE, BINARY_FILE
from tests.conftest import Build, random_texts

TEXTS = random_texts(50)


def figures_of(bundle: Bundle) -> dict[str, Any]:
    return {"index": {"binary_sha256": bundle.manifest.files[BINARY_FILE].sha256}, "parts": {}}


def test_kept_figures_are_found_and_the_index_still_opens(build: Build) -> None:
    bundle = build(TEXTS)
    keep_figures(bundle, figures_of(bundle))
    assert kept_figures(Bundle.open(bundle.path)) == figures_of(bundle)
    assert [path.name for path in bundle.path.glob("benchmark*")] == [BENCHMARK_FILE]


def test_an_index_that_was_not_measured_has_no_figures(build: Build) -> None:
    assert kept_figures(build(TEXTS)) is None


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"index": 3}', '{"index": {"binary_sha256": "another"}}', "[" * 9999]
)
def test_figures_of_another_index_or_damaged_ones_are_ignored(build: Build, content: str) -> None:
    bundle = build(TEXTS)
    (bundle.path / BENCHMARK_FILE).write_text(content)
    assert kept_figures(bundle) is None


def test_a_measured_index_can_be_built_again_and_loses_its_figures(build: Build) -> None:
    bundle = build(TEXTS)
    keep_figures(bundle, figures_of(bundle))
    again = build(random_texts(60, seed=1), overwrite=True)
    assert kept_figures(again) is None
    assert not (again.path / BENCHMARK_FILE).exists()


def test_figures_left_by_a_killed_build_are_not_taken_into_the_new_index(build: Build) -> None:
    bundle = build(TEXTS)
    work = bundle.path.with_name(f"{bundle.path.name}.building")
    work.mkdir()
    (work / BENCHMARK_FILE).write_text("{}")
    (work / f"{BENCHMARK_FILE}.new").write_text("{}")
    again = build(random_texts(60, seed=1), overwrite=True)
    assert sorted(path.name for path in again.path.glob("benchmark*")) == []
