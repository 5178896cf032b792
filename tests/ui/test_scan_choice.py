"""The choice of scan in the settings of the page, and in its address."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrieval import SCANS, BuildOptions, Searcher, SearchSettings, build_index
from retrieval.search.explanation.explain import explain
from retrieval.ui.address import address_of, read_address
from retrieval.ui.hood.search_figures import candidates_figure
from retrieval.ui.knobs import settings_of, values_of
from retrieval.ui.request_limits import MAX_PROBES
from retrieval.ui.scan_choice import lists_visited, probes_update, scan_update
from retrieval.ui.search.latency_panel import latency_panel
from retrieval.ui.visit import Visit
from tests.conftest import FakeEncoder, RowsCorpus, random_texts
from tests.support import Reader


def searcher_of(folder: Path, num_texts: int, **options: Any) -> Searcher:
    rows: list[dict[str, Any]] = [{"text": text} for text in random_texts(num_texts)]
    bundle = build_index(RowsCorpus(rows), FakeEncoder(), folder / "index", BuildOptions(**options))
    return Searcher.open(bundle.path, encoder=FakeEncoder(), verify="never")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return searcher_of(tmp_path_factory.mktemp("listed"), 700, lists=8)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return searcher_of(tmp_path_factory.mktemp("plain"), 60)


def test_an_index_with_lists_offers_three_scans_with_the_recall_that_its_build_measured(listed: Searcher) -> None:
    update, tuning = scan_update(listed, listed.defaults), listed.manifest.tuning
    assert tuning is not None
    assert [name for _, name in update["choices"]] == list(SCANS)
    recalls = [tuning.recall.chosen, tuning.scans[0].recall, tuning.scans[-1].recall]
    for (label, _), recall in zip(update["choices"], recalls, strict=True):
        assert f"recall {recall:.3f}" in label
    assert update["choices"][-1][0].endswith(f" with {lists_visited(tuning.probes or 0, tuning)} lists")
    assert all(f"{name} " in update["info"] for name in SCANS)


def test_the_numbers_of_lists_are_those_that_the_build_tried(listed: Searcher) -> None:
    update, tuning = probes_update(listed, listed.defaults), listed.manifest.tuning
    assert tuning is not None
    assert [probes for _, probes in update["choices"]] == sorted({s.probes for s in tuning.scans if s.probes})
    assert update["value"] == tuning.probes
    asked = probes_update(listed, replace(listed.defaults, probes=5_000))
    assert (asked["choices"][-1], asked["value"]) == (("5,000", 5_000), 5_000)


def test_only_a_default_with_a_reach_is_an_upper_limit(listed: Searcher) -> None:
    tuning = listed.manifest.tuning
    assert tuning is not None
    with_reach, without = (
        replace(tuning, scans=(replace(tuning.scans[-1], probes=1_200, reach=reach),)) for reach in (0.4, None)
    )
    assert lists_visited(1_200, with_reach) == "up to 1,200"
    assert lists_visited(1_300, with_reach) == "1,300"
    assert lists_visited(1_200, without) == "1,200"
    assert lists_visited(1_200, None) == "1,200"


def test_where_all_texts_become_candidates_there_is_no_choice(plain: Searcher) -> None:
    assert len(plain) <= plain.defaults.num_candidates
    assert scan_update(plain, plain.defaults)["visible"] == "hidden"
    assert probes_update(plain, plain.defaults)["visible"] == "hidden"


def test_a_scan_that_a_link_asks_for_and_the_index_lacks_is_shown_as_missing(plain: Searcher) -> None:
    update = scan_update(plain, replace(plain.defaults, scan="lists"))
    assert update["visible"] is True
    assert [name for _, name in update["choices"]] == ["hamming", "float-bits", "lists"]
    assert "not in this index" in update["choices"][-1][0]


def test_the_values_of_the_controls_are_the_settings() -> None:
    settings = SearchSettings(scan="lists", probes=7)
    assert settings_of(values_of(settings), SearchSettings()) == settings


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({}, {}),
        ({"scan": "float-bits"}, {"scan": "float-bits"}),
        ({"scan": "lists", "probes": 96}, {"scan": "lists", "p": "96"}),
    ],
)
def test_a_link_carries_the_scan_and_its_lists(changes: dict[str, Any], parts: dict[str, str]) -> None:
    defaults = SearchSettings(probes=64)
    settings = replace(defaults, **changes)
    address = address_of("", None, "search", settings, defaults, "search")
    assert dict(part.split("=") for part in address.removeprefix("?").split("&") if part) == parts
    assert read_address(parts).settings_over(defaults) == settings


@pytest.mark.parametrize("parts", [{"scan": "graph"}, {"scan": ""}, {"p": "0"}, {"p": str(MAX_PROBES + 1)}, {"p": "x"}])
def test_a_link_with_an_impossible_scan_is_read_without_it(parts: dict[str, str]) -> None:
    assert read_address(parts).settings == {}


@pytest.mark.parametrize(("scan", "label"), [("float-bits", "Float \N{MULTIPLICATION SIGN} bits"), ("lists", "Lists")])
def test_the_time_panel_names_the_scan_that_took_the_time(listed: Searcher, scan: str, label: str) -> None:
    response = listed.search("red apple", scan=scan)
    seen = Reader(latency_panel(response, Visit())).text
    assert label in seen
    assert "Asymmetric" not in seen
    assert "Hamming" not in seen
    assert ("compared: all of them" in seen) == (scan == "float-bits")


@pytest.mark.parametrize("scan", SCANS)
def test_under_the_hood_shows_the_time_of_the_scan(listed: Searcher, scan: str) -> None:
    found = explain(listed, "red apple", replace(listed.defaults, scan=scan))
    first = candidates_figure(found).split("</li>")[0]
    assert " ms</small>" in first
