"""The comparison: every way's answer, what it kept and lost, on corpora small enough to check by brute force."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from retrieval import QueryError, RetrievalError, Searcher, SearchSettings, build_index
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.evaluation.comparison.answers import Comparison, LostText, WayAnswer
from retrieval.evaluation.comparison.compare import MAX_TOP_K, Gate, compare, ways_compared
from retrieval.evaluation.way import Way
from retrieval.evaluation.ways import FloatBits
from retrieval.quantization import Float32s
from retrieval.ui.compare.view import board
from retrieval.ui.compare.words import compare_values
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts

QUERY = "sort a list of numbers"


def searcher_of(build: Build, encoder: FakeEncoder, rows: Sequence[str], **options: object) -> Searcher:
    return Searcher.open(build(rows, **options).path, encoder=encoder, verify="never")


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    """300 distinct texts, one of them 500 times."""
    return searcher_of(build, encoder, ["sort a list"] * 250 + random_texts(299) + ["sort a list"] * 250)


def compared(searcher: Searcher, query: str = QUERY, **settings: int | bool | str) -> Comparison:
    return compare(searcher, query, replace(searcher.defaults, **settings))  # type: ignore[arg-type]


def rows_of(answer: WayAnswer) -> list[int]:
    return [hit.row for hit in answer.hits]


def test_float32_is_the_brute_force_answer(searcher: Searcher, encoder: FakeEncoder) -> None:
    exact = ExactBaseline.open(searcher.bundle)
    scores = exact.embeddings[exact.text_rows] @ encoder.encode([QUERY])[0]
    best = np.argsort(-scores, kind="stable")[:10]
    float32 = compared(searcher)["float32"]
    assert rows_of(float32) == exact.text_rows[best].tolist()
    np.testing.assert_allclose([hit.score for hit in float32.hits], scores[best], atol=1e-6)


def test_int8_is_the_brute_force_answer_over_dequantized_vectors(searcher: Searcher, encoder: FakeEncoder) -> None:
    exact = ExactBaseline.open(searcher.bundle)
    quantizer = searcher.manifest.quantizer
    vectors = quantizer.decode(quantizer.encode(np.asarray(exact.embeddings[exact.text_rows])))
    scores = vectors @ encoder.encode([QUERY])[0]
    int8 = compared(searcher)["int8"]
    assert rows_of(int8) == exact.text_rows[np.argsort(-scores, kind="stable")[:10]].tolist()
    np.testing.assert_allclose([hit.score for hit in int8.hits], np.sort(scores)[::-1][:10], atol=1e-5)


def test_bits_alone_are_in_order_of_hamming_distance(searcher: Searcher, encoder: FakeEncoder) -> None:
    exact = ExactBaseline.open(searcher.bundle)
    differ = (exact.embeddings[exact.text_rows] > 0) != (encoder.encode([QUERY])[0] > 0)
    best = np.argsort(differ.sum(axis=1), kind="stable")[:10]
    bits = compared(searcher)["bits"]
    assert rows_of(bits) == exact.text_rows[best].tolist()
    assert [hit.score for hit in bits.hits] == differ.sum(axis=1)[best].tolist()


def test_the_published_way_orders_four_times_as_many_by_raw_codes(searcher: Searcher, encoder: FakeEncoder) -> None:
    exact, vector = ExactBaseline.open(searcher.bundle), encoder.encode([QUERY])[0]
    embeddings = np.asarray(exact.embeddings[exact.text_rows])
    nearest = np.argsort(((embeddings > 0) != (vector > 0)).sum(axis=1), kind="stable")[:40]
    raw = searcher.manifest.quantizer.encode(embeddings[nearest]).astype(np.float32) @ vector
    published = compared(searcher)["published"]
    assert rows_of(published) == exact.text_rows[nearest[np.argsort(-raw, kind="stable")[:10]]].tolist()


def test_ours_is_what_the_search_answers(searcher: Searcher) -> None:
    found = {hit.document.text: hit.score for hit in searcher.search(QUERY, top_k=799).hits}
    ours = compared(searcher)["ours"]
    assert [hit.text for hit in ours.hits] == list(found)[:10]
    np.testing.assert_allclose([hit.score for hit in ours.hits], list(found.values())[:10], atol=1e-6)


def test_lost_texts_are_those_that_only_float32_found(searcher: Searcher) -> None:
    found = compared(searcher, "open file path and read token")
    truth = rows_of(found["float32"])
    assert any(answer.lost for answer in found.answers)
    for answer in found.answers:
        missed = [(rank, row) for rank, row in enumerate(truth, start=1) if row not in rows_of(answer)]
        assert [(lost.reference_rank, lost.row) for lost in answer.lost] == missed
        assert answer.overlap == 10 - len(missed)


class Plane(FakeEncoder):
    """Points by name, whose two values are written out."""

    def encode(self, texts: Sequence[str]) -> Float32s:
        vectors = np.zeros((len(texts), 8), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            vector[:2] = [float(value) for value in text.split()[:2]]
        return vectors


class TestByHand:
    """The query is (1, 0): the first value of a text is its score. Bits see signs alone."""

    ROWS = ("0.9 -0.1", "0.5 0.2", "0.5 -0.3", "0.4 0.4", "-0.2 0.1")

    @pytest.fixture
    def searcher(self, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
        encoder = Plane(dim=8)
        corpus = RowsCorpus([{"text": text} for text in self.ROWS])
        bundle = build_index(corpus, encoder, tmp_path_factory.mktemp("plane") / "index")
        return Searcher.open(bundle.path, encoder=encoder, verify="never")

    def test_a_lost_text_has_the_rank_it_should_have_had(self, searcher: Searcher) -> None:
        bits = compare(searcher, "1 0.01", SearchSettings(top_k=2, num_candidates=2))["bits"]
        assert bits.lost == (LostText(1, 0, "0.9 -0.1", None),)
        assert bits.overlap == 1

    def test_a_text_found_at_another_rank_has_both_ranks(self, searcher: Searcher) -> None:
        bits = compare(searcher, "1 0.01", SearchSettings(top_k=3, num_candidates=3))["bits"]
        assert [(hit.rank, hit.row, hit.reference_rank, hit.in_reference) for hit in bits.hits] == [
            (1, 1, 2, True), (2, 3, 4, False), (3, 0, 1, True),
        ]  # fmt: skip

    def test_a_text_that_ties_with_the_last_one_counts(self, searcher: Searcher) -> None:
        found = compare(searcher, "1 0", SearchSettings(top_k=2, num_candidates=2))
        assert rows_of(found["float32"]) == [0, 1]
        assert rows_of(found["bits"]) == [0, 2]
        assert (found["bits"].overlap, found["bits"].lost) == (2, ())


def test_without_float32_overlap_is_counted_with_int8(build: Build, encoder: FakeEncoder) -> None:
    found = compared(searcher_of(build, encoder, random_texts(60), baseline=False))
    assert found.reference_key == "int8"
    assert found["float32"].time_ms is None
    assert found["float32"].hits == ()
    assert found["int8"].overlap == found["ours"].overlap == 10


@pytest.mark.parametrize("rows", [["red apple"], ["red apple"] * 30, ["red apple", "blue sky", "red apple"]])
def test_fewer_texts_than_asked_for_are_all_shown(build: Build, encoder: FakeEncoder, rows: list[str]) -> None:
    found = compared(searcher_of(build, encoder, rows), "apple")
    num_texts = len(set(rows))
    assert found.num_texts == num_texts
    assert {len(answer.hits) for answer in found.answers} == {num_texts}
    assert {answer.overlap for answer in found.answers} == {num_texts}


def test_groups_are_compared_as_texts(build: Build, encoder: FakeEncoder) -> None:
    rows = [{"text": text, "group": "all"} for text in random_texts(30)]
    found = compared(Searcher.open(build(rows).path, encoder=encoder, verify="never"))
    assert {len(answer.hits) for answer in found.answers} == {10}


def test_at_most_twenty_texts_are_compared(searcher: Searcher) -> None:
    assert compared(searcher, top_k=50).num_wanted == MAX_TOP_K


def test_ours_follows_the_settings(searcher: Searcher) -> None:
    plain = compared(searcher, num_candidates=10, asymmetric=False, rescore=False)
    assert rows_of(plain["ours"]) == rows_of(plain["bits"])
    assert plain["ours"].way.score_kind == "estimate"
    assert plain["ours"].disk_bytes == 0


@pytest.mark.parametrize(("query", "settings"), [("  ", {}), (QUERY, {"top_k": 0}), (QUERY, {"num_candidates": 0})])
def test_a_blank_query_or_a_setting_below_one_is_refused(
    searcher: Searcher, query: str, settings: dict[str, int]
) -> None:
    with pytest.raises(QueryError):
        compared(searcher, query, **settings)


def test_a_long_query_is_cut_with_the_note_of_a_search(searcher: Searcher) -> None:
    query = " ".join(random_texts(80))
    assert compared(searcher, query).notes == searcher.search(query).notes != ()


def test_an_index_without_a_model_cannot_be_compared(searcher: Searcher) -> None:
    searcher.encoder = None
    with pytest.raises(QueryError, match="no model"):
        compared(searcher)


def test_the_bytes_are_those_of_distinct_texts(searcher: Searcher) -> None:
    found = {
        answer.key: (answer.vector_bytes, answer.ram_bytes, answer.disk_bytes) for answer in compared(searcher).answers
    }
    assert found["float32"] == (256, 256 * 300, 0)
    assert found["int8"] == (64, 64 * 300, 0)
    assert found["bits"] == (8, 8 * 300, 0)
    assert found["ours"] == found["published"] == (8, 8 * 300, 64 * 300)


def test_comparisons_are_made_one_at_a_time(searcher: Searcher) -> None:
    running: list[int] = []
    most: list[int] = []

    def watched(settings: SearchSettings) -> tuple[Way, ...]:
        running.append(1)
        most.append(len(running))
        time.sleep(0.002)
        running.pop()
        return ways_compared(settings)

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(compare, searcher, QUERY, searcher.defaults, ways=watched) for _ in range(6)]
        assert len([each.result() for each in pending]) == 6
    assert most == [1] * 6


def test_a_comparison_is_refused_when_too_many_are_waiting(searcher: Searcher) -> None:
    gate = Gate(max_waiting=0)
    with gate(), pytest.raises(RetrievalError):
        compare(searcher, QUERY, searcher.defaults, gate=gate)
    assert len(compare(searcher, QUERY, searcher.defaults, gate=gate).answers) == 6


def test_another_way_is_one_object_in_the_list(searcher: Searcher) -> None:
    found = compare(
        searcher,
        QUERY,
        searcher.defaults,
        ways=lambda settings: (*ways_compared(settings), FloatBits(num_candidates=50)),
    )
    assert found["float_bits"].overlap >= found["bits"].overlap
    assert [method["key"] for method in compare_values(found)["methods"]][-1] == "float_bits"
    assert "The 50 nearest by bits" in board(found)


def test_a_searcher_is_freed_after_a_comparison(build: Build, encoder: FakeEncoder) -> None:
    searcher = searcher_of(build, encoder, random_texts(30))
    compared(searcher)
    held = weakref.ref(searcher)
    del searcher
    gc.collect()
    assert held() is None


def test_the_float_scan_rescores_the_best_of_all_bits(searcher: Searcher, encoder: FakeEncoder) -> None:
    settings = replace(searcher.defaults, num_candidates=20, rescore_multiplier=3)
    found = compare(searcher, QUERY, settings)["float_scan"]
    vector, quantizer, rows = encoder.encode([QUERY])[0], searcher.manifest.quantizer, searcher.files.text_rows
    signs = np.unpackbits(searcher.files.texts.codes, axis=1, count=len(vector)) * 2.0 - 1.0
    best = np.argsort(-(signs @ vector), kind="stable")[:30]
    scores = quantizer.decode(searcher.files.int8.fetch(rows[best])) @ vector
    expected = np.sort(scores)[::-1][:10]
    np.testing.assert_allclose([hit.score for hit in found.hits], expected, atol=1e-5)
    assert rows_of(found)[0] == rows[best][np.argmax(scores)]
    assert dict(found.work) == {"float bits scanned": 300, "int8 read": 30}


@pytest.mark.parametrize("rescore", [True, False])
def test_ours_says_what_its_scan_does(searcher: Searcher, rescore: bool) -> None:
    found = compared(searcher, scan="float-bits", rescore=rescore)
    assert "The float32 query times the bits of every text" in board(found)
    assert found["ours"].work.get("candidates") is None
    assert ("rescoring is off" in board(found)) != rescore
