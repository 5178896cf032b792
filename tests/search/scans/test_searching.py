"""Every scan through `Searcher`: what it finds, what it reports, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import (
    SCANS,
    BuildError,
    BuildOptions,
    BundleCorruptError,
    BundleMissingError,
    QueryError,
    Searcher,
    build_index,
)
from retrieval.bundle.manifest import LISTS_FILE
from retrieval.quantization import binarize
from retrieval.search.rescoring import asymmetric_scores
from scripts.build_index import parser
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts

FLOAT_SCANS = ("float-bits", "lists")
STAGE = {"hamming": "hamming", "float-bits": "float_bits", "lists": "lists"}


def searcher_of(folder: Path, rows: list[dict[str, Any]], **options: Any) -> Searcher:
    bundle = build_index(RowsCorpus(rows), FakeEncoder(), folder / "index", BuildOptions(**options))
    return Searcher.open(bundle.path, encoder=FakeEncoder(), verify="never")


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    texts = [{"text": text} for text in random_texts(400)]
    return searcher_of(tmp_path_factory.mktemp("scans"), texts, lists=8)


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """One group of 300 rows with 5 texts, and 60 groups of one row."""
    rows = [{"text": f"red apple {row % 5}", "group": "many"} for row in range(300)]
    rows += [{"text": text, "group": str(row)} for row, text in enumerate(random_texts(60))]
    return searcher_of(tmp_path_factory.mktemp("grouped"), rows, lists=6)


@pytest.mark.parametrize("scan", SCANS)
def test_the_time_of_a_scan_is_counted_to_its_own_stage(searcher: Searcher, scan: str) -> None:
    stages = searcher.search("red apple", scan=scan).latency.stages
    assert stages[STAGE[scan]] > 0
    others = {"asymmetric"} if scan != "hamming" else set()
    assert all(stages[name] == 0 for name in {*STAGE.values(), *others} - {STAGE[scan]})


@pytest.mark.parametrize("scan", FLOAT_SCANS)
def test_int8_rescores_the_best_by_float_query_and_bits(searcher: Searcher, scan: str) -> None:
    vector, _ = searcher.encode_query("red apple")
    response = searcher.search("red apple", scan=scan, rescore_multiplier=5, probes=8)
    exact = np.sort(asymmetric_scores(vector, searcher.files.texts.codes))[::-1]
    assert response.int8_rows_read == response.num_candidates == 50
    for hit in response.hits:
        own = asymmetric_scores(vector, searcher.files.index.codes[hit.row][None])[0]
        assert own >= exact[49] - 0.01
        assert hit.hamming_distance == np.bitwise_count(searcher.files.index.codes[hit.row] ^ binarize(vector)).sum()
        assert not hit.is_estimate


@pytest.mark.parametrize("scan", FLOAT_SCANS)
def test_without_rescoring_the_scores_are_those_of_the_scan(searcher: Searcher, scan: str) -> None:
    vector, _ = searcher.encode_query("red apple")
    response = searcher.search("red apple", scan=scan, rescore=False, probes=8)
    assert [hit.binary_rank for hit in response.hits] == list(range(1, 11))
    expected = [asymmetric_scores(vector, searcher.files.index.codes[hit.row][None])[0] for hit in response.hits]
    assert [hit.score for hit in response.hits] == pytest.approx(np.clip(expected, -1, 1), abs=0.01)
    assert response.int8_rows_read == 0


@pytest.mark.parametrize("scan", SCANS)
def test_all_scans_agree_where_everything_is_rescored(searcher: Searcher, scan: str) -> None:
    expected = searcher.search("blue plum", num_candidates=400, rescore_multiplier=40)
    found = searcher.search("blue plum", num_candidates=400, rescore_multiplier=40, scan=scan, probes=8)
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits])


@pytest.mark.parametrize("scan", SCANS)
def test_groups_are_filled_up_whatever_the_scan(grouped: Searcher, scan: str) -> None:
    response = grouped.search("red apple", 20, scan=scan, rescore_multiplier=1, num_candidates=20, probes=1)
    groups = [hit.document.group for hit in response.hits]
    assert len(groups) == len(set(groups)) == 20


@pytest.mark.parametrize("scan", SCANS)
def test_more_results_than_there_are_gives_all(grouped: Searcher, scan: str) -> None:
    assert len(grouped.search("red apple", 1000, scan=scan, probes=1).hits) == 61


@pytest.mark.parametrize("scan", FLOAT_SCANS)
def test_a_subtracted_mean_is_accounted_for(tmp_path: Path, scan: str) -> None:
    searcher = searcher_of(tmp_path, [{"text": text} for text in random_texts(100)], lists=4, center=True)
    asymmetric = searcher.search("red apple", num_candidates=100, rescore=False)
    found = searcher.search("red apple", scan=scan, probes=4, rescore=False)
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in asymmetric.hits], abs=0.01)
    assert found.hits[0].hamming_distance == asymmetric.hits[0].hamming_distance


def test_packed_bits_change_no_answer(build: Build) -> None:
    searcher = Searcher.open(build([*random_texts(300), *random_texts(50)]).path, encoder=FakeEncoder())
    queries = random_texts(20, seed=3)
    before = [searcher.search(query, num_candidates=30).hits for query in queries]
    searcher.search("red", scan="float-bits")
    assert [searcher.search(query, num_candidates=30).hits for query in queries] == before
    assert [each.hits for each in searcher.search_many(queries, num_candidates=30)] == before


@pytest.mark.parametrize("scan", SCANS)
def test_a_batch_answers_as_single_queries_do(searcher: Searcher, scan: str) -> None:
    queries = ["red apple", "green pear", "blue plum"]
    for query, response in zip(queries, searcher.search_many(queries, scan=scan), strict=True):
        alone = searcher.search(query, scan=scan)
        assert [hit.score for hit in response.hits] == pytest.approx([hit.score for hit in alone.hits], abs=1e-5)
        assert response.settings == alone.settings
        assert response.latency.stages[STAGE[scan]] > 0


@pytest.mark.parametrize("scan", SCANS)
def test_many_threads_get_the_same_answers(searcher: Searcher, scan: str) -> None:
    queries = random_texts(40, seed=3)
    expected = [searcher.search(query, scan=scan).hits for query in queries]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda query: searcher.search(query, scan=scan).hits, queries))
    for one, other in zip(found, expected, strict=True):
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)


def test_an_index_without_lists_names_the_scans_it_has(build: Build) -> None:
    bundle = build(random_texts(30))
    searcher = Searcher.open(bundle.path, encoder=FakeEncoder())
    assert searcher.scans == ("hamming", "float-bits")
    with pytest.raises(QueryError, match="no lists, only hamming and float-bits"):
        searcher.search("red", scan="lists")


@pytest.mark.parametrize("scan", ["", "graph", "float_bits", 3])
def test_an_unknown_scan_is_refused(searcher: Searcher, scan: Any) -> None:
    with pytest.raises(QueryError, match="hamming, float-bits, lists"):
        searcher.search("red", scan=scan)


@pytest.mark.parametrize("probes", [0, -1, 1.5, "many"])
def test_a_wrong_number_of_probes_is_refused(searcher: Searcher, probes: Any) -> None:
    with pytest.raises(QueryError, match="probes is"):
        searcher.search("red", scan="lists", probes=probes)


def test_an_unknown_knob_is_refused(searcher: Searcher) -> None:
    with pytest.raises(TypeError, match="num_candidate"):
        searcher.search("red", num_candidate=5)  # type: ignore[call-arg]


def test_probes_beyond_the_lists_visit_all_of_them(searcher: Searcher) -> None:
    everything = searcher.search("red apple", scan="lists", probes=8).hits
    assert [hit.row for hit in searcher.search("red apple", scan="lists", probes=10_000).hits] == [
        hit.row for hit in everything
    ]


def test_altered_lists_are_refused_when_they_are_first_asked_for(build: Build) -> None:
    path = build(random_texts(100), lists=4).path
    searcher = Searcher.open(path, encoder=FakeEncoder(), verify="never")
    data = bytearray((path / LISTS_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (path / LISTS_FILE).write_bytes(bytes(data))
    for scan in ("lists", "hamming"):  # whatever is asked next: an index with an altered file is out of service
        with pytest.raises(BundleCorruptError, match=LISTS_FILE):
            searcher.search("red", scan=scan)


def test_lists_of_another_index_are_refused(build: Build) -> None:
    path, other = build(random_texts(100), lists=4).path, build(random_texts(100, seed=5), "other", lists=4).path
    (path / LISTS_FILE).write_bytes((other / LISTS_FILE).read_bytes())
    with pytest.raises(BundleCorruptError, match=LISTS_FILE):
        Searcher.open(path, encoder=FakeEncoder(), verify="now")


def test_missing_lists_are_noticed_at_opening(build: Build) -> None:
    path = build(random_texts(100), lists=4).path
    (path / LISTS_FILE).unlink()
    with pytest.raises(BundleMissingError, match=LISTS_FILE):
        Searcher.open(path, encoder=FakeEncoder())


def test_an_index_that_is_built_again_without_lists_has_none(build: Build) -> None:
    build(random_texts(100), lists=4)
    bundle = build(random_texts(100), overwrite=True)
    assert not bundle.manifest.has_lists
    assert not bundle.file(LISTS_FILE).exists()


def test_the_build_measures_what_each_scan_finds(build: Build) -> None:
    tuning = build(random_texts(300), lists=8).manifest.tuning
    assert tuning is not None
    first, *others = tuning.scans
    assert (first.scan, first.probes) == ("float-bits", None)
    assert others
    assert [each.scan for each in others] == ["lists"] * len(others)
    assert others[-1].recall >= 0.994 * 0.995 * first.recall
    assert tuning.probes == others[-1].probes


def test_memory_counts_a_scan_once_it_is_in_use(tmp_path: Path, scanned_by: str) -> None:
    searcher = searcher_of(tmp_path, [{"text": text} for text in random_texts(100)], lists=4)
    assert (searcher.memory()["codes"], searcher.memory()["lists"]) == (100 * 8, 0)
    searcher.search("red", scan="float-bits")
    assert searcher.memory()["codes"] == 100 * 8 + 128 * {"kernel": 8, "faiss": 9}[scanned_by]
    searcher.search("red", scan="lists")
    assert searcher.memory()["lists"] > 100 * 9


@pytest.mark.parametrize("lists", [-1, 1.5, True, "4"])
def test_a_build_takes_only_whole_numbers_of_lists(lists: Any) -> None:
    with pytest.raises(BuildError, match="lists is"):
        BuildOptions(lists=lists)


@pytest.mark.parametrize(("given", "expected"), [("auto", None), ("0", 0), ("512", 512)])
def test_the_command_takes_lists(given: str, expected: int | None) -> None:
    arguments = ["--corpus", "python", "--output", "x"]
    assert parser().parse_args([*arguments, "--lists", given]).lists == expected
    assert parser().parse_args(arguments).lists is None


@pytest.mark.parametrize("given", ["-1", "many", "1.5", ""])
def test_the_command_refuses_other_lists(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["--corpus", "python", "--output", "x", f"--lists={given}"])
    assert "--lists" in capsys.readouterr().err


def test_the_scan_of_searches_that_name_none_is_chosen_at_opening(build: Build) -> None:
    path = build(random_texts(100), lists=4).path
    searcher = Searcher.open(path, encoder=FakeEncoder(), scan="lists")
    assert searcher.search("red apple").settings.scan == "lists"
    assert searcher.search("red apple", probes=4).settings.probes == 4
    assert searcher.search("red apple", scan="hamming").settings.scan == "hamming"


def test_only_what_the_chosen_scan_needs_is_prepared(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.search.stores.files.WORTH_PACKING", 1)
    path = build(random_texts(100), lists=4).path
    searcher = Searcher.open(path, encoder=FakeEncoder(), scan="lists")
    hits = searcher.search("red apple", probes=4).hits
    assert searcher.memory()["lists"] > 0
    assert searcher.files._scans._packed is None
    assert hits == Searcher.open(path, encoder=FakeEncoder(), scan="float-bits").search("red apple").hits


def test_a_scan_that_the_index_lacks_is_refused_at_opening(build: Build) -> None:
    with pytest.raises(QueryError, match="no lists"):
        Searcher.open(build(random_texts(60)).path, encoder=FakeEncoder(), scan="lists")
