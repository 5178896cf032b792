"""The comparison: every way's answer, what it kept and lost, on corpora small enough to check by brute force."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from retrieval import QueryError, RetrievalError, Searcher, SearchSettings, build_index
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.evaluation.comparison import compare as comparison
from retrieval.evaluation.comparison.compare import MAX_TOP_K, compare, compare_values
from retrieval.evaluation.comparison.compared import (
    ComparedHit,
    Comparison,
    LostText,
    Method,
    in_words,
    percent,
    speed_words,
)
from retrieval.quantization import Float32s
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts

QUERY = "sort a list of numbers"


def searcher_of(build: Build, encoder: FakeEncoder, rows: Sequence[str], **options: object) -> Searcher:
    return Searcher.open(build(rows, **options).path, encoder=encoder, verify="never")


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    """300 distinct texts, one of them 500 times."""
    return searcher_of(build, encoder, ["sort a list"] * 250 + random_texts(299) + ["sort a list"] * 250)


def compared(searcher: Searcher, query: str = QUERY, **settings: int | bool) -> Comparison:
    return compare(searcher, query, replace(searcher.defaults, **settings))  # type: ignore[arg-type]


def rows_of(method: Method) -> list[int]:
    return [hit.row for hit in method.hits]


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


def test_what_is_lost_is_what_float32_has_and_the_way_has_not(searcher: Searcher) -> None:
    found = compared(searcher, "open file path and read token")
    truth = rows_of(found["float32"])
    assert any(method.lost for method in found.methods)
    for method in found.methods:
        missed = [(rank, row) for rank, row in enumerate(truth, start=1) if row not in rows_of(method)]
        assert [(lost.reference_rank, lost.row) for lost in method.lost] == missed
        assert method.overlap == 10 - len(missed)


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

    def test_a_text_of_another_rank_says_so(self, searcher: Searcher) -> None:
        bits = compare(searcher, "1 0.01", SearchSettings(top_k=3, num_candidates=3))["bits"]
        assert [(hit.rank, hit.row, hit.reference_rank, hit.in_reference) for hit in bits.hits] == [
            (1, 1, 2, True), (2, 3, 4, False), (3, 0, 1, True),
        ]  # fmt: skip

    def test_a_text_that_ties_with_the_last_one_counts(self, searcher: Searcher) -> None:
        found = compare(searcher, "1 0", SearchSettings(top_k=2, num_candidates=2))
        assert rows_of(found["float32"]) == [0, 1]
        assert rows_of(found["bits"]) == [0, 2]
        assert (found["bits"].overlap, found["bits"].lost) == (2, ())


def test_without_float32_the_overlap_is_with_int8(build: Build, encoder: FakeEncoder) -> None:
    found = compared(searcher_of(build, encoder, random_texts(60), baseline=False))
    assert found.reference_key == "int8"
    assert "--no-baseline" in str(found["float32"].missing)
    assert found["float32"].hits == ()
    assert found["int8"].overlap == found["ours"].overlap == 10
    assert "int8" in in_words(found)


@pytest.mark.parametrize("rows", [["red apple"], ["red apple"] * 30, ["red apple", "blue sky", "red apple"]])
def test_fewer_texts_than_asked_for_are_all_shown(build: Build, encoder: FakeEncoder, rows: list[str]) -> None:
    found = compared(searcher_of(build, encoder, rows), "apple")
    num_texts = len(set(rows))
    assert found.num_texts == num_texts
    assert {len(method.hits) for method in found.methods} == {num_texts}
    assert {method.overlap for method in found.methods} == {num_texts}


def test_groups_are_compared_as_texts(build: Build, encoder: FakeEncoder) -> None:
    rows = [{"text": text, "group": "all"} for text in random_texts(30)]
    found = compared(Searcher.open(build(rows).path, encoder=encoder, verify="never"))
    assert {len(method.hits) for method in found.methods} == {10}


def test_no_more_texts_than_can_be_taken_in_are_shown(searcher: Searcher) -> None:
    assert compared(searcher, top_k=50).num_wanted == MAX_TOP_K


def test_ours_follows_the_settings(searcher: Searcher) -> None:
    plain = compared(searcher, num_candidates=10, asymmetric=False, rescore=False)
    assert rows_of(plain["ours"]) == rows_of(plain["bits"])
    assert plain["ours"].score_kind == "estimate"
    assert plain["ours"].disk_bytes == 0


@pytest.mark.parametrize(("query", "settings"), [("  ", {}), (QUERY, {"top_k": 0}), (QUERY, {"num_candidates": 0})])
def test_what_cannot_be_asked_is_refused(searcher: Searcher, query: str, settings: dict[str, int]) -> None:
    with pytest.raises(QueryError):
        compared(searcher, query, **settings)


def test_a_long_query_is_cut_as_a_search_cuts_it_and_says_so(searcher: Searcher) -> None:
    query = " ".join(random_texts(80))
    assert compared(searcher, query).notes == searcher.search(query).notes != ()


def test_an_index_without_a_model_says_so(searcher: Searcher) -> None:
    searcher.encoder = None
    with pytest.raises(QueryError, match="no model"):
        compared(searcher)


def test_the_bytes_are_those_of_distinct_texts(searcher: Searcher) -> None:
    found = {
        method.key: (method.vector_bytes, method.ram_bytes, method.disk_bytes) for method in compared(searcher).methods
    }
    assert found["float32"] == (256, 256 * 300, 0)
    assert found["int8"] == (64, 64 * 300, 0)
    assert found["bits"] == (8, 8 * 300, 0)
    assert found["ours"] == found["published"] == (8, 8 * 300, 64 * 300)


def test_comparisons_are_made_one_at_a_time(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    made = comparison._scanned
    running: list[int] = []
    most: list[int] = []

    def watched(*args: Any) -> Any:
        running.append(1)
        most.append(len(running))
        try:
            return made(*args)
        finally:
            running.pop()

    monkeypatch.setattr(comparison, "_scanned", watched)
    with ThreadPoolExecutor(4) as pool:
        assert len([found.result() for found in [pool.submit(compared, searcher) for _ in range(6)]]) == 6
    assert most == [1] * 6


def test_a_visitor_is_refused_while_the_queue_is_full(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_places", threading.BoundedSemaphore(1))
    with comparison._one_at_a_time(), pytest.raises(RetrievalError, match="waiting for their turn"):
        compared(searcher)
    assert len(compared(searcher).methods) == 5


def test_an_index_that_nobody_holds_is_let_go(build: Build, encoder: FakeEncoder) -> None:
    searcher = searcher_of(build, encoder, random_texts(30))
    compared(searcher)
    held = weakref.ref(searcher)
    del searcher
    gc.collect()
    assert held() is None


def test_the_values_for_programs_are_plain(searcher: Searcher) -> None:
    found = compared(searcher)
    values = json.loads(json.dumps(compare_values(found)))
    assert values["in_words"] == in_words(found)
    assert [method["overlap"] for method in values["methods"]] == [method.overlap for method in found.methods]
    assert values["methods"][4]["hits"][0]["text"] == found["ours"].hits[0].text


def method(key: str, time_ms: float, ram_bytes: int, overlap: int) -> Method:
    hits = tuple(ComparedHit(rank, rank, "text", None, 0.5, rank <= overlap, rank) for rank in range(1, 11))
    return Method(key, key, "", "cosine", hits, (), time_ms, 1, 1, ram_bytes, 0, 0)


@pytest.mark.parametrize(
    ("reference_ms", "our_ms", "words"),
    [
        (102.5, 2.5, "9 of 10 of the float32 results, 41x faster, from 3 % of the memory."),
        (3.0, 6.0, "9 of 10 of the float32 results, 2.0x slower, from 3 % of the memory."),
        (3.0, 3.1, "9 of 10 of the float32 results, about as fast, from 3 % of the memory."),
        (0.05, 0.4, "too short to compare"),
    ],
)
def test_the_sentence_is_honest(reference_ms: float, our_ms: float, words: str) -> None:
    methods = (method("float32", reference_ms, 3200, 10), method("ours", our_ms, 100, 9))
    assert words in in_words(Comparison("q", methods, "float32", SearchSettings(), 100, 64, 1.0, 1.0, 0))


def test_numbers_are_said_to_two_digits_or_so() -> None:
    assert [percent(share) for share in (1.0, 0.125, 0.03125, 0.004, 0.0)] == [
        "100 %", "12.5 %", "3 %", "0.4 %", "0 %",
    ]  # fmt: skip
    assert [speed_words(ratio) for ratio in (41.2, 3.25, 0.5, 1.0)] == [
        "41x faster", "3.2x faster", "2.0x slower", "about as fast",
    ]  # fmt: skip
