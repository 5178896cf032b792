"""The ladder: the same embeddings searched at every precision, on corpora small enough to check by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import BundleMissingError, CorpusError, Searcher, build_index
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.corpus.beir import BeirCorpus
from retrieval.corpus.beir_task import load_queries_and_judgments
from retrieval.evaluation.judged import JudgedCollection, scored_queries
from retrieval.evaluation.ladder import Ladder, Rung
from retrieval.quantization import Float32s, unpack_signs
from tests.beir_folder import write_collection
from tests.conftest import Build, FakeEncoder, random_texts

QUERIES = ["sort a list of numbers", "red apple", *random_texts(6, seed=5)]
DISTINCT = 130


def ladder_of(bundle: Bundle, encoder: FakeEncoder, queries: Sequence[str] = QUERIES) -> Ladder:
    searcher = Searcher.open(bundle.path, encoder=encoder, verify="never")
    return Ladder(searcher, encoder.encode(queries))


@pytest.fixture
def skewed(build: Build) -> Bundle:
    """One title 2,000 times, a few texts some times, and the rest once: in all, 130 distinct texts in 2,200 rows."""
    rows = ["sort a list"] * 1000 + random_texts(DISTINCT - 1) + ["sort a list"] * 1000 + random_texts(71)
    return build(rows)


@pytest.fixture
def ladder(skewed: Bundle, encoder: FakeEncoder) -> Ladder:
    return ladder_of(skewed, encoder)


def by_key(ladder: Ladder) -> dict[str, Rung]:
    return {rung.key: rung for rung in ladder.rungs()}


def test_every_rung_answers_with_ten_distinct_texts_of_a_skewed_corpus(ladder: Ladder, skewed: Bundle) -> None:
    text_ids = DocumentStore.open(skewed.file(DOCUMENTS_FILE)).text_ids()
    for rung in ladder.rungs():
        assert [len(set(text_ids[rows])) for rows in rung.rankings] == [10] * len(QUERIES), rung.key


def test_float32_is_the_exact_answer_and_the_first_rung(ladder: Ladder) -> None:
    rung = next(ladder.rungs())
    assert rung.key == "float32"
    pairs = zip(ladder.vectors, rung.rankings, ladder.truths, strict=True)
    assert all(ladder.baseline.recall(vector, rows.tolist(), truth) == 1.0 for vector, rows, truth in pairs)


def test_a_rung_answers_many_queries_as_its_way_answers_each(ladder: Ladder) -> None:
    for rung in ladder.rungs():
        alone = [rung.way.search(ladder.index, vector, 10).rows for vector in ladder.vectors]
        assert [rows.tolist() for rows in rung.rankings] == [rows.tolist() for rows in alone], rung.key


def test_float_query_times_bits_of_enough_candidates_is_a_full_scan(ladder: Ladder) -> None:
    rows = ladder.baseline.text_rows
    signs = unpack_signs(np.packbits(ladder.baseline.embeddings[rows] > 0, axis=-1), 64)
    expected = np.sort(ladder.vectors @ signs.T)[:, ::-1][:, :10]
    for key, ranking in (
        ("rung", by_key(ladder)["bits_400_float_bits"].rankings),
        ("curve", list(ladder.binary_curve(100))[-1].rankings),
    ):
        for vector, found, best in zip(ladder.vectors, ranking, expected, strict=True):
            own = np.where(ladder.baseline.embeddings[found] > 0, 1.0, -1.0) @ vector
            np.testing.assert_allclose(own, best, atol=1e-5, err_msg=key)


def test_every_rung_states_its_bytes_per_vector(ladder: Ladder) -> None:
    found = {key: (way.ram_vector_bytes(64), way.disk_vector_bytes(64)) for key, way in ladder.ways.items()}
    assert found["float32"] == (256, 0)
    assert {found[key] for key in ("int8_both", "int8_codes", "int8_dequantized")} == {(64, 0)}
    assert {found[key] for key in ("bits", "bits_40_float_bits", "bits_400_float_bits")} == {(8, 0)}
    assert {found[key] for key in ("bits_10_int8_codes", "bits_40_int8_codes", "ours")} == {(8, 64)}


def test_the_curves_have_the_multipliers_of_the_article_and_no_more_candidates_than_texts(ladder: Ladder) -> None:
    binary = [(point.multiplier, point.num_candidates) for point in ladder.binary_curve(10)]
    assert binary == [(m, 10 * m) for m in range(1, 11)]
    assert [point.num_candidates for point in ladder.binary_curve(100)] == [100] + [DISTINCT] * 9
    int8 = [(point.multiplier, point.num_candidates) for point in ladder.int8_curve(float_documents=True)]
    assert int8 == [(1, 10), (4, 40), (10, 100)]


def test_int8_first_rescored_with_float32_reaches_the_exact_answer(ladder: Ladder) -> None:
    *_, deepest = ladder.int8_curve(float_documents=True)
    assert [rows.tolist() for rows in deepest.rankings] == [truth.rows.tolist() for truth in ladder.truths]


class TwoScales(FakeEncoder):
    """Vectors by name, whose second dimension has a hundredth of the range of the first."""

    def encode(self, texts: Sequence[str]) -> Float32s:
        known = {"low": (-1, -0.01), "high": (1, 0.01), "near": (0.5, -0.01), "far": (0.3, 0.01), "query": (1.0, 1.0)}
        vectors = np.zeros((len(texts), 8), np.float32)
        vectors[:, :2] = np.array([known[text] for text in texts])
        return vectors


def test_raw_codes_ignore_the_step_of_each_dimension_and_reverse_an_order(tmp_path: Path) -> None:
    encoder = TwoScales(dim=8)
    texts = [(name, name) for name in ("low", "high", "near", "far")]
    folder = write_collection(tmp_path / "two", texts, [("q", "query")], {("q", "near"): 1})
    bundle = build_index(BeirCorpus(folder), encoder, tmp_path / "index")
    rungs = by_key(ladder_of(bundle, encoder, ["query"]))
    exact, raw, dequantized = (rungs[key].rankings[0].tolist() for key in ("float32", "int8_codes", "int8_dequantized"))
    assert exact == dequantized == [1, 2, 3, 0]
    assert raw == [1, 3, 2, 0]


def test_an_index_without_float32_cannot_be_compared(build: Build, encoder: FakeEncoder) -> None:
    with pytest.raises(BundleMissingError, match="without --no-baseline"):
        ladder_of(build(["red apple"], baseline=False), encoder, ["red"])


class TestJudgedCollection:
    DOCUMENTS = (
        ("a1", "red apple"), ("b", "blue sky"), ("a2", "red apple"),
        ("c", "green pear"), ("b", "blue sea"), ("a3", "red apple"),
    )  # fmt: skip

    @pytest.fixture
    def collection(self, tmp_path: Path, encoder: FakeEncoder) -> JudgedCollection:
        folder = write_collection(tmp_path / "beir", self.DOCUMENTS, [("q", "apple")], {("q", "a3"): 1})
        bundle = build_index(BeirCorpus(folder), encoder, tmp_path / "index")
        documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
        return JudgedCollection(load_queries_and_judgments(folder).judgments, documents)

    def test_a_text_stands_for_all_documents_that_have_it(self, collection: JudgedCollection) -> None:
        assert collection.document_ids(np.array([3, 0])) == ["c", "a1", "a2", "a3"]

    def test_a_judged_document_counts_wherever_it_stands_among_equal_texts(self, collection: JudgedCollection) -> None:
        assert collection.scores(["q"], [np.array([0, 1])]).mrr.tolist() == [pytest.approx(1 / 3)]

    def test_an_id_that_two_documents_have_is_found_once(self, collection: JudgedCollection) -> None:
        assert collection.document_ids(np.array([4, 1, 3])) == ["b", "c"]


@pytest.mark.parametrize("judgments", [{}, {("q", "a"): 0}, {("other", "a"): 1}])
def test_a_collection_in_which_nothing_can_be_scored_is_refused(
    tmp_path: Path, judgments: dict[tuple[str, str], int]
) -> None:
    folder = write_collection(tmp_path / "beir", [("a", "red apple")], [("q", "apple")], judgments)
    with pytest.raises(CorpusError, match="no judged query"):
        scored_queries(load_queries_and_judgments(folder), folder)


def test_blank_queries_are_not_scored(tmp_path: Path) -> None:
    judgments = {("q", "a"): 1, ("blank", "a"): 1}
    folder = write_collection(tmp_path / "beir", [("a", "red apple")], [("q", "apple"), ("blank", " ")], judgments)
    assert scored_queries(load_queries_and_judgments(folder), folder) == {"q": "apple"}
