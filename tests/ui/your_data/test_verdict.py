"""The verdict on a visitor's data."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import Tuning, TuningPoint, TuningRecall
from retrieval.ui.your_data.verdict import percent, verdict
from tests.conftest import Build, random_texts

MEASURED = Tuning(
    num_candidates=30, rescore_multiplier=8, top_k=10, target_share=0.99, reached_share=0.997, reached=True,
    sampled_queries=60, recall=TuningRecall(bits=0.71, float_bits=0.93, int8_all=0.994, chosen=0.991),
    curve=(TuningPoint(30, 8, 30, 0.997, 0.991),),
).to_json()  # fmt: skip
SEEN = {"rows_in_file": 400, "rows_used": 400, "counted_all": True}


@pytest.fixture
def manifest(build: Build) -> Manifest:
    return replace(build(random_texts(400)).manifest, search=MEASURED)


def test_a_verdict_says_what_is_kept_and_saved(manifest: Manifest) -> None:
    shown = verdict(manifest, SEEN, 12)
    headline = shown.split("<h2>")[1].split("</h2>")[0]
    assert "71 %" in headline
    assert "99.1 %" in headline
    assert "1/32 of the memory" in verdict(replace(manifest, dim=384), SEEN, 12)
    assert "<dd>30</dd>" in shown
    assert "suits your data" in shown


def test_a_verdict_with_many_candidates_does_not_praise(manifest: Manifest) -> None:
    shown = verdict(replace(manifest, search={**MEASURED, "num_candidates": 100}), SEEN, 12)
    assert "25 % of your texts are candidates in every query" in shown
    assert "suits your data" not in shown


def test_every_recall_has_its_interval(manifest: Manifest) -> None:
    shown = verdict(manifest, SEEN, 12)
    assert "60 texts of yours as queries" in shown
    assert "71 %<small>59 to 81</small>" in shown  # 0.585 to 0.809: Wilson for 60 queries
    assert len(re.findall(r"<small>\d+ to \d+</small>", shown)) == 4


def test_savings_of_duplicates_are_separate(build: Build) -> None:
    repeated = verdict(build(random_texts(30) * 4, "repeated").manifest, {**SEEN, "rows_used": 120}, 1)
    assert "Your 120 rows hold 30 distinct texts" in repeated
    assert "30 &times; 64 floats" in repeated


def test_a_verdict_without_measurements_says_so(manifest: Manifest) -> None:
    for search in ({"num_candidates": 9, "rescore_multiplier": 2}, {**MEASURED, "source": "default"}):
        assert "was not measured" in verdict(replace(manifest, search=search), SEEN, 12)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"non_ascii_texts": 200}, "50 % of your texts have letters beyond English"),
        ({"sampled_texts": 100, "long_texts": 60}, "60 % of your texts are longer"),
        ({"cut_texts": 1}, "1 text was so long"),
        ({"rows_in_file": 900}, "first 400 of 900 rows"),
        ({"rows_in_file": 900, "counted_all": False}, "of at least 900 rows"),
    ],
)
def test_a_verdict_tells_what_bears_on_it(manifest: Manifest, seen: dict[str, Any], told: str) -> None:
    assert told not in verdict(manifest, SEEN, 12)
    assert told in verdict(manifest, {**SEEN, **seen}, 12)


def test_few_texts_are_reported_to_prove_little(build: Build) -> None:
    shown = verdict(build(random_texts(20)).manifest, {**SEEN, "rows_in_file": 20, "rows_used": 20}, 1)
    assert "20 distinct texts prove little" in shown


def test_a_share_is_rounded_up_to_all_only_when_it_is_all() -> None:
    assert [percent(share) for share in (0.714, 0.9912, 0.9999, 1.0)] == ["71 %", "99.1 %", "99.9 %", "100 %"]
