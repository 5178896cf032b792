"""What Benchmarks opens with: an answer from measured points, its costs, and what is wrong with a wish."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrieval.benchmark.figures.kept import KeptFrontier, read_frontier
from retrieval.ui.benchmarks.needs import KEPT, needs_answer, needs_chart
from retrieval.ui.frontier.charts import frontier_charts
from tests.support import HOSTILE
from tests.ui.frontier.test_frontier import FRONTIER, MACHINE

MEASURED = KeptFrontier(FRONTIER, "some vectors", "2026-11-29 10:00 UTC", "A processor", 2)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_answer_is_a_measured_point_with_its_bytes_and_price() -> None:
    text = text_of(needs_answer(MEASURED, 250_000_000, 384, 0.9))
    assert "Take sign bits" in text
    assert "int8 from disk" in text
    assert "float32, all in RAM 1.000 357.62 GB" in text
    assert "$1,358" in text
    assert "A processor, 2 cores, 2026-11-29" in text


def test_more_dimensions_take_more_bytes_and_come_with_a_caution() -> None:
    text = text_of(needs_answer(MEASURED, 250_000_000, 768, 0.9))
    assert "715.25 GB" in text
    assert "The recall is that of 384 dimensions" in text
    assert "The recall is that of" not in text_of(needs_answer(MEASURED, 250_000_000, 384, 0.9))


def test_many_more_documents_than_were_measured_come_with_a_caution() -> None:
    assert "expect less recall" in needs_answer(MEASURED, 1_000_000, 384, 0.9)
    assert "expect less recall" not in needs_answer(MEASURED, 1_000, 384, 0.9)


def test_where_nothing_reaches_the_recall_it_says_to_keep_float32() -> None:
    none = KeptFrontier(replace(FRONTIER, points=()), "some vectors")
    assert "Keep float32" in needs_answer(none, 1_000, 384, 0.99)


@pytest.mark.parametrize("value", [*HOSTILE, None, float("nan"), -1, 0, 1e30])
@pytest.mark.parametrize("place", range(3))
def test_any_input_is_answered(value: Any, place: int) -> None:
    values: list[Any] = [1000, 384, 0.9]
    values[place] = value
    html = needs_answer(MEASURED, *values)
    assert "<script" not in html
    assert "note bad" in html


def test_the_chart_is_that_of_the_measured_points() -> None:
    assert f"{FRONTIER.points[0].ram_bytes:,}" in needs_chart(MEASURED)


def test_no_two_schemes_of_the_kept_measurement_look_alike() -> None:
    kept = read_frontier(KEPT)
    assert kept is not None
    for chart in frontier_charts(kept.frontier):
        signs = [(series.colour, series.marker) for series in chart.series]
        assert len(set(signs)) == len(signs) > 10


def test_only_a_kept_frontier_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(json.dumps({"title": "T", "taken_at": "now", "machine": MACHINE, **FRONTIER.to_json()}))
    assert read_frontier(path) == KeptFrontier(FRONTIER, "T", "now", "a processor", 2)
    for text in ("", "[]", "{}", json.dumps({**FRONTIER.to_json(), "points": [{}]})):
        path.write_text(text)
        assert read_frontier(path) is None
    assert read_frontier(tmp_path / "none.json") is None


def test_the_project_has_a_frontier_to_answer_from() -> None:
    kept = read_frontier(KEPT)
    assert kept is not None
    assert kept.cpu
    assert {"bits", "int8", "float32"} <= {point.scheme for point in kept.frontier.points}
