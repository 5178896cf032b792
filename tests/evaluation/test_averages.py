"""What a way finds on average: from the build's measurement, and only for the settings that it was made with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from retrieval import SearchSettings
from retrieval.bundle.tuning import ScanRecall, Tuning, TuningPoint, TuningRecall
from retrieval.evaluation.comparison.averages import averages

TUNING = Tuning(
    num_candidates=500, rescore_multiplier=12, top_k=10, target_share=0.99, reached_share=0.995, reached=True,
    sampled_queries=60, recall=TuningRecall(bits=0.5, float_bits=0.6, int8_all=0.99, chosen=0.98, published=0.85),
    curve=(TuningPoint(100, 10, 100, 0.9, 0.89), TuningPoint(500, 12, 120, 0.995, 0.98)),
    scans=(ScanRecall("float-bits", 0.985, 0.999), ScanRecall("lists", 0.97, 0.98, 8)),
)  # fmt: skip
CHOSEN = SearchSettings(num_candidates=500, rescore_multiplier=12)


def found(used: SearchSettings, tuning: Tuning | None = TUNING) -> dict[str, float]:
    return {key: round(each.found, 6) for key, each in averages(tuning, used).items()}


def test_each_way_has_what_the_build_measured() -> None:
    assert found(CHOSEN) == {"int8": 9.9, "bits": 5.0, "published": 8.5, "float_scan": 9.85, "ours": 9.8}
    assert {each.num_queries for each in averages(TUNING, CHOSEN).values()} == {60}


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({"num_candidates": 100, "rescore_multiplier": 10}, 8.9),
        ({"scan": "float-bits"}, 9.85),
        ({"scan": "lists", "probes": 8}, 9.7),
        ({"num_candidates": 600}, None),
        ({"asymmetric": False}, None),
        ({"rescore": False}, None),
        ({"scan": "lists", "probes": 9}, None),
    ],
    ids=["tried", "float-bits", "lists", "never tried", "without float x bits", "without int8", "other lists"],
)
def test_ours_is_that_of_its_settings_or_not_there(changes: dict[str, object], ours: float | None) -> None:
    assert found(replace(CHOSEN, **changes)).get("ours") == ours  # type: ignore[arg-type]


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert averages(None, CHOSEN) == {}
    older = replace(TUNING, recall=replace(TUNING.recall, published=None))
    assert "published" not in averages(older, CHOSEN)
