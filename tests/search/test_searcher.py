"""The search path: every stage and knob against an oracle, on corpora that are hard on it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import (
    STAGES,
    BundleCorruptError,
    BundleError,
    BundleIncompatibleError,
    BundleMissingError,
    QueryError,
    RetrievalError,
    Searcher,
    SearchResponse,
    build_index,
)
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.quantization import Float32s
from tests.conftest import WORDS, Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import Oracle, alter, change_manifest

TEXTS = random_texts(400)
QUERIES = [" ".join(np.random.default_rng(seed).choice(WORDS, 3)) for seed in range(30)]


def opened(bundle: Bundle, **options: Any) -> Searcher:
    return Searcher.open(bundle.path, encoder=FakeEncoder(bundle.manifest.dim), **options)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    corpus = RowsCorpus([{"text": text} for text in TEXTS])
    return opened(build_index(corpus, FakeEncoder(), tmp_path_factory.mktemp("searcher") / "index"))


def rows(response: SearchResponse) -> list[int]:
    return [hit.row for hit in response.hits]


class TestAgainstTheOracle:
    @pytest.mark.parametrize("rescore", [True, False])
    @pytest.mark.parametrize("asymmetric", [True, False])
    @pytest.mark.parametrize(("num_candidates", "multiplier"), [(20, 1), (50, 3), (400, 40), (100, 1000)])
    def test_every_combination_of_knobs(
        self, searcher: Searcher, num_candidates: int, multiplier: int, asymmetric: bool, rescore: bool
    ) -> None:
        oracle = Oracle.of(searcher)
        for query in QUERIES[:8]:
            response = searcher.search(
                query,
                10,
                num_candidates=num_candidates,
                rescore_multiplier=multiplier,
                asymmetric=asymmetric,
                rescore=rescore,
            )
            expected_rows, expected_scores = oracle.search(
                FakeEncoder().encode([query])[0], 10, num_candidates, multiplier, asymmetric=asymmetric, rescore=rescore
            )
            assert [hit.score for hit in response.hits] == pytest.approx(expected_scores, abs=1e-5)
            assert rows(response) == expected_rows
            assert all(hit.is_estimate is not rescore for hit in response.hits)
            assert response.int8_rows_read == (min(num_candidates, 10 * multiplier) if rescore else 0)

    @pytest.mark.parametrize("dim", [1, 7, 8, 13, 100])
    def test_dims_that_fill_no_whole_byte(self, tmp_path: Path, dim: int) -> None:
        corpus = RowsCorpus([{"text": text} for text in TEXTS[:100]])
        searcher = opened(build_index(corpus, FakeEncoder(dim), tmp_path / "index"))
        query = FakeEncoder(dim).encode([QUERIES[0]])[0]
        expected, scores = Oracle.of(searcher).search(query, 5, 100, 20, asymmetric=True, rescore=True)
        response = searcher.search(QUERIES[0], 5)
        assert [hit.score for hit in response.hits] == pytest.approx(scores, abs=1e-5)
        if dim > 1:
            assert rows(response) == expected

    def test_with_all_candidates_recall_is_that_of_float32_within_int8s_error(self, searcher: Searcher) -> None:
        embeddings = Oracle.of(searcher).embeddings
        for query in QUERIES:
            exact = embeddings @ FakeEncoder().encode([query])[0]
            found = rows(searcher.search(query, 10, num_candidates=400, rescore_multiplier=400))
            tenth_best = np.sort(exact)[-10]
            assert len(set(found)) == 10
            assert (exact[found] >= tenth_best - 0.005).all()

    def test_scores_are_near_the_float_cosine_and_sorted(self, searcher: Searcher) -> None:
        embeddings = Oracle.of(searcher).embeddings
        for query in QUERIES:
            hits = searcher.search(query, 20).hits
            exact = embeddings[[hit.row for hit in hits]] @ FakeEncoder().encode([query])[0]
            scores = [hit.score for hit in hits]
            assert scores == pytest.approx(exact.tolist(), abs=0.01)
            assert scores == sorted(scores, reverse=True)

    def test_hamming_distance_and_binary_rank_are_those_of_the_hamming_stage(self, searcher: Searcher) -> None:
        oracle = Oracle.of(searcher)
        for query in QUERIES[:5]:
            distances = oracle.distances(FakeEncoder().encode([query])[0])
            ranks = {int(row): rank for rank, row in enumerate(np.argsort(distances, kind="stable"), start=1)}
            for hit in searcher.search(query).hits:
                assert hit.hamming_distance == distances[hit.row]
                assert hit.binary_rank == ranks[hit.row]

    def test_ranks_count_from_one_and_documents_are_those_of_the_rows(self, searcher: Searcher) -> None:
        hits = searcher.search(QUERIES[0]).hits
        assert [hit.rank for hit in hits] == list(range(1, 11))
        assert [hit.document.text for hit in hits] == [TEXTS[hit.row] for hit in hits]
        assert [hit.document.row for hit in hits] == [hit.row for hit in hits]

    @pytest.mark.parametrize("knobs", [{}, {"rescore": False}, {"asymmetric": False}, {"rescore_multiplier": 1}])
    def test_the_text_itself_comes_first_and_scores_never_leave_minus_one_to_one(
        self, searcher: Searcher, knobs: dict[str, Any]
    ) -> None:
        for row in range(0, 400, 13):
            hits = searcher.search(TEXTS[row], **knobs).hits
            assert hits[0].row == row
            assert all(-1 <= hit.score <= 1 for hit in hits)
            assert hits[0].score == pytest.approx(1, abs=0.2 if knobs == {"rescore": False} else 0.01)

    def test_a_vector_gives_what_its_text_gives_at_any_length(self, searcher: Searcher) -> None:
        vector = FakeEncoder().encode([QUERIES[0]])[0]
        expected = searcher.search(QUERIES[0])
        assert rows(searcher.search_vector(vector)) == rows(expected)
        assert rows(searcher.search_vector((vector * 7).tolist())) == rows(expected)

    def test_nearest_texts_are_the_rows_of_a_search(self, searcher: Searcher) -> None:
        vector = FakeEncoder().encode([QUERIES[0]])[0]
        response = searcher.search_vector(vector)
        assert searcher.nearest_texts(vector, response.settings).tolist() == rows(response)


class TestDuplicates:
    """One title 5,000 times among others: a thousand nearest rows would be one text."""

    COPIES = 5000

    @pytest.fixture
    def skewed(self, build: Build) -> Searcher:
        repeated = [{"text": "red apple", "quality": (row % 100) / 100} for row in range(self.COPIES)]
        return opened(build([*repeated, *({"text": text, "quality": 0.5} for text in TEXTS[:300])]))

    def test_candidates_and_int8_reads_are_counted_by_distinct_text(self, skewed: Searcher) -> None:
        response = skewed.search("red apple", 5, num_candidates=50, rescore_multiplier=4)
        assert (response.num_candidates, response.int8_rows_read) == (50, 20)
        assert response.num_documents == self.COPIES + 300

    def test_candidates_never_exceed_the_distinct_texts(self, skewed: Searcher) -> None:
        response = skewed.search("red apple", 5, num_candidates=4000)
        assert response.num_candidates == 301
        assert response.settings.num_candidates == 301

    def test_equal_texts_come_by_quality_then_by_row(self, skewed: Searcher) -> None:
        hits = skewed.search("red apple", 60).hits
        assert [hit.row for hit in hits[:50]] == list(range(99, 5000, 100))
        assert [hit.row for hit in hits[50:]] == list(range(98, 1000, 100))
        assert len({hit.score for hit in hits}) == 1

    def test_equal_texts_share_distance_and_binary_rank(self, skewed: Searcher) -> None:
        hits = skewed.search("red apple", 60).hits
        assert {(hit.hamming_distance, hit.binary_rank) for hit in hits} == {(0, 1)}

    def test_other_texts_are_found_behind_the_copies(self, skewed: Searcher) -> None:
        expected = rows(skewed.search(TEXTS[7], 3))
        assert expected[0] == self.COPIES + 7
        assert len(rows(skewed.search("red apple", self.COPIES + 10))) == self.COPIES + 10

    def test_a_missing_quality_comes_last_among_equal_texts(self, build: Build) -> None:
        qualities = [None, 0.1, None, 0.9, -1.0]
        searcher = opened(build([{"text": "same", "quality": quality} for quality in qualities]))
        assert rows(searcher.search("same")) == [3, 1, 4, 0, 2]

    def test_without_qualities_equal_texts_come_by_row(self, build: Build) -> None:
        assert rows(opened(build(["same"] * 30)).search("same", 10)) == list(range(10))

    def test_texts_that_tie_come_by_quality_then_by_row(self, build: Build) -> None:
        """Same words in another order: two texts, one embedding."""
        texts = [("red apple", 0.1), ("apple red", 0.9), ("RED apple", 0.9), ("green pear", 1.0)]
        searcher = opened(build([{"text": text, "quality": quality} for text, quality in texts]))
        assert rows(searcher.search("red apple")) == [1, 2, 0, 3]

    def test_nearest_texts_are_distinct(self, skewed: Searcher) -> None:
        vector = FakeEncoder().encode(["red apple"])[0]
        settings = dataclasses.replace(skewed.defaults, top_k=10, num_candidates=301)
        nearest = skewed.nearest_texts(vector, settings)
        assert nearest[0] == 0
        assert len(set(nearest.tolist())) == 10
        assert (nearest[1:] >= self.COPIES).all()


class TestGroups:
    def test_a_group_is_one_hit_and_its_members_are_reachable(self, build: Build) -> None:
        corpus = [{"text": f"red apple {n % 3}", "group": f"g{n % 4}", "quality": n / 100} for n in range(40)]
        searcher = opened(build(corpus))
        response = searcher.search("red apple 1")
        assert len(response.hits) == 4
        for hit in response.hits:
            members = {hit.row, *hit.member_rows}
            assert len(hit.member_rows) == 9
            assert members == {row for row in range(40) if f"g{row % 4}" == hit.document.group}
        assert [document.row for document in searcher.documents(hit.member_rows)] == list(hit.member_rows)

    def test_the_hit_is_the_best_row_of_its_group(self, build: Build) -> None:
        corpus = [
            {"text": "green pear", "group": "g", "quality": 1.0},
            {"text": "red apple", "group": "g", "quality": 0.1},
            {"text": "red apple", "group": "g", "quality": 0.7},
            {"text": "blue plum", "group": "g", "quality": 0.9},
        ]
        [hit] = opened(build(corpus)).search("red apple").hits
        assert hit.row == 2
        assert hit.member_rows[0] == 1
        assert sorted(hit.member_rows) == [0, 1, 3]

    def test_one_text_in_several_groups_is_a_hit_for_each(self, build: Build) -> None:
        corpus = [{"text": "red apple", "group": str(number % 7)} for number in range(70)]
        response = opened(build([*corpus, {"text": "green pear", "group": "x"}])).search("red apple")
        assert [hit.document.group for hit in response.hits] == [*"0123456", "x"]

    @pytest.mark.parametrize("knobs", [{}, {"asymmetric": False}, {"rescore": False}, {"num_candidates": 20}])
    def test_a_group_that_holds_all_the_best_texts_still_leaves_top_k_groups(
        self, build: Build, knobs: dict[str, Any]
    ) -> None:
        crowd = [{"text": f"red apple {number}", "group": "crowd"} for number in range(1500)]
        others = [{"text": text, "group": f"other {row}"} for row, text in enumerate(TEXTS[:100])]
        searcher = opened(build([*crowd, *others]))
        hits = searcher.search("red apple", 10, **knobs).hits
        groups = [hit.document.group for hit in hits]
        assert len(set(groups)) == len(groups) == 10
        assert groups[0] == "crowd"
        assert len(hits[0].member_rows) == 1499
        assert [hit.rank for hit in hits] == list(range(1, 11))
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)

    def test_top_k_above_the_groups_gives_every_group(self, build: Build) -> None:
        corpus = [{"text": text, "group": str(row % 12)} for row, text in enumerate(TEXTS[:100])]
        searcher = opened(build(corpus))
        assert {hit.document.group for hit in searcher.search("red", 10**9).hits} == {str(n) for n in range(12)}

    def test_rows_without_a_group_are_separate_hits(self, build: Build) -> None:
        corpus = [{"text": "red apple"}, {"text": "red apple"}, {"text": "red apple", "group": "g"}]
        hits = opened(build([*corpus, corpus[2]])).search("red apple").hits
        assert [(hit.row, hit.member_rows) for hit in hits] == [(0, ()), (1, ()), (2, (3,))]

    def test_without_groups_no_hit_has_members(self, searcher: Searcher) -> None:
        assert all(hit.member_rows == () for hit in searcher.search("red").hits)


class TestInput:
    @pytest.mark.parametrize("top_k", [400, 401, 10**9, 10**30])
    def test_top_k_above_the_corpus_gives_what_there_is(self, searcher: Searcher, top_k: int) -> None:
        hits = searcher.search("red apple", top_k).hits
        assert sorted(hit.row for hit in hits) == list(range(400))

    @pytest.mark.parametrize("top_k", [1, 10])
    def test_a_corpus_of_one_row(self, build: Build, top_k: int) -> None:
        [hit] = opened(build(["red apple"])).search("apple", top_k).hits
        assert (hit.row, hit.rank, hit.binary_rank) == (0, 1, 1)
        assert hit.score == pytest.approx(float(np.dot(*FakeEncoder().encode(["red apple", "apple"]))), abs=0.01)

    def test_fewer_rows_than_candidates(self, build: Build) -> None:
        response = opened(build(TEXTS[:15])).search("red", 10)
        assert len(response.hits) == 10
        assert (response.num_candidates, response.int8_rows_read) == (15, 15)

    def test_fewer_candidates_than_top_k_are_raised_to_it(self, searcher: Searcher) -> None:
        assert len(searcher.search("red", 10, num_candidates=1).hits) == 10

    @pytest.mark.parametrize("name", ["top_k", "num_candidates", "rescore_multiplier"])
    @pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", np.float64(2.5), float("nan"), float("inf"), {}])
    def test_settings_below_one_or_no_whole_number_are_refused(self, searcher: Searcher, name: str, value: Any) -> None:
        with pytest.raises(QueryError, match=f"{name} is .*: a whole number of at least 1 is needed"):
            searcher.search("red", **{name: value})

    @pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), 3, 3.0, np.float64(3)])
    def test_whole_numbers_of_numpy_are_whole_numbers(self, searcher: Searcher, value: Any) -> None:
        multiplier: Any = np.int64(2**62)
        assert len(searcher.search("red", value, rescore_multiplier=multiplier).hits) == 3

    def test_a_rescore_multiplier_beyond_everything_reads_the_candidates(self, searcher: Searcher) -> None:
        assert searcher.search("red", num_candidates=50, rescore_multiplier=10**30).int8_rows_read == 50

    @pytest.mark.parametrize("query", ["", " ", "\t\n", "\0", "\0 \0\n", "\u2003"])
    def test_an_empty_query_is_refused(self, searcher: Searcher, query: str) -> None:
        with pytest.raises(QueryError, match="the query is empty: type a few words"):
            searcher.search(query)
        with pytest.raises(QueryError, match="the query is empty"):
            searcher.search_many(["red", query])

    @pytest.mark.parametrize("query", [None, 3, b"red", ["red"]])
    def test_a_query_that_is_not_a_text_is_refused(self, searcher: Searcher, query: Any) -> None:
        with pytest.raises(QueryError, match="a text is needed"):
            searcher.search(query)

    @pytest.mark.parametrize(
        "query", ["日本語の本", "🍎🍐", "сливы и яблоки", "\ud800", "red \udfff apple", "a\0b", "e\u0301\u202e", "x"]
    )
    def test_any_script_and_broken_text_is_answered(self, searcher: Searcher, query: str) -> None:
        response = searcher.search(query)
        assert len(response.hits) == 10
        assert response.query == query

    def test_lone_surrogates_reach_no_encoder(self, build: Build) -> None:
        encoder = FakeEncoder()
        searcher = Searcher.open(build(TEXTS).path, encoder=encoder)
        searcher.search("red \ud800 apple")
        assert encoder.encoded[-1] == "red \ufffd apple"

    def test_100_000_characters_are_cut_with_a_note(self, searcher: Searcher) -> None:
        response = searcher.search("apple " * 17_000)
        assert response.hits
        assert response.notes == (
            "The query is long: its last 16,744 tokens are beyond the model's length and were not read.",
        )
        assert searcher.search("red apple").notes == ()

    @pytest.mark.parametrize(
        "vector", [np.zeros(64), np.full(64, np.nan), np.full(64, np.inf), np.ones(63), np.ones((1, 64)), np.ones(0)]
    )
    def test_a_vector_that_points_nowhere_is_refused(self, searcher: Searcher, vector: Any) -> None:
        with pytest.raises(
            QueryError, match=r"the query vector has shape .*: 64 finite numbers, not all 0, are needed"
        ):
            searcher.search_vector(vector)

    @pytest.mark.parametrize("vector", ["text", None, [[1], [2, 3]], [object()]])
    def test_values_that_are_not_vectors_are_refused(self, searcher: Searcher, vector: Any) -> None:
        with pytest.raises(QueryError, match="64 finite numbers"):
            searcher.search_vector(vector)

    @pytest.mark.parametrize("row", [-1, 400])
    def test_a_document_outside_the_corpus_is_an_index_error(self, searcher: Searcher, row: int) -> None:
        with pytest.raises(IndexError, match="rows 0 to 399"):
            searcher.documents([row])


class TestMany:
    @pytest.mark.parametrize("knobs", [{}, {"asymmetric": False}, {"rescore": False, "top_k": 3}])
    def test_a_batch_gives_the_answers_of_single_searches(self, searcher: Searcher, knobs: dict[str, Any]) -> None:
        for query, response in zip(QUERIES, searcher.search_many(QUERIES, **knobs), strict=True):
            single = searcher.search(query, **knobs)
            assert response.hits == single.hits
            assert response.query == query
            assert dataclasses.replace(response, latency=single.latency) == single

    def test_no_queries_give_no_answers(self, searcher: Searcher) -> None:
        assert searcher.search_many([]) == []

    def test_groups_that_need_a_wider_search_are_found_in_a_batch_too(self, build: Build) -> None:
        crowd = [{"text": f"red apple {number}", "group": "crowd"} for number in range(300)]
        others = [{"text": text, "group": f"other {row}"} for row, text in enumerate(TEXTS[:30])]
        searcher = opened(build([*crowd, *others]))
        [response] = searcher.search_many(["red apple"], 10, num_candidates=20)
        assert response.hits == searcher.search("red apple", 10, num_candidates=20).hits
        assert len(response.hits) == 10

    def test_eight_threads_get_the_answers_of_one(self, searcher: Searcher) -> None:
        expected = [searcher.search(query).hits for query in QUERIES]

        def ask(_: int) -> list[Any]:
            return [searcher.search(query).hits for query in QUERIES]

        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(ask, range(8)))

    def test_long_notes_belong_to_their_own_query(self, searcher: Searcher) -> None:
        short, long = searcher.search_many(["red apple", "apple " * 1000])
        assert short.notes == ()
        assert "744 tokens" in long.notes[0]


class TestAnswers:
    def test_latency_has_every_stage_and_a_total_that_holds_them(self, searcher: Searcher) -> None:
        latency = searcher.search("red apple").latency
        assert tuple(latency.stages) == STAGES
        assert [name for name, elapsed in latency.stages.items() if elapsed == 0] == [
            "float_bits",
            "lists",
            "network",
        ]
        assert latency.total_ms >= sum(latency.stages.values())

    def test_a_stage_that_is_off_takes_no_time(self, searcher: Searcher) -> None:
        assert searcher.search("red", asymmetric=False).latency.stages["asymmetric"] == 0.0
        assert searcher.search_vector(np.ones(64)).latency.stages["encode"] == 0.0

    def test_settings_are_reported_as_they_were_used(self, searcher: Searcher) -> None:
        settings = searcher.search("red", 3, num_candidates=70, rescore_multiplier=2, rescore=False).settings
        assert (settings.top_k, settings.num_candidates, settings.rescore_multiplier) == (3, 70, 2)
        assert (settings.asymmetric, settings.rescore) == (True, False)

    def test_defaults_are_those_of_the_manifest(self, build: Build) -> None:
        bundle = build(TEXTS)
        change_manifest(bundle, lambda values: values["search"].update(num_candidates=33, rescore_multiplier=2))
        searcher = opened(bundle)
        assert (searcher.defaults.num_candidates, searcher.defaults.rescore_multiplier) == (33, 2)
        response = searcher.search("red")
        assert (response.num_candidates, response.int8_rows_read) == (33, 20)

    def test_a_searcher_and_an_answer_tell_what_they_are(self, searcher: Searcher) -> None:
        assert repr(searcher) == "Searcher(rows, 400 rows, BinaryIndex(400 x 64 bits, 0.0 MB))"
        assert repr(searcher.search("red")).startswith("SearchResponse(10 hits of 400, ")
        assert len(searcher) == 400

    def test_the_encoders_note_reaches_the_user(self, build: Build) -> None:
        bundle = build(TEXTS)
        assert Searcher.open(bundle.path, encoder=FakeEncoder(note="slow today")).notes == ("slow today",)
        assert opened(bundle).notes == ()


class TestMemory:
    def test_every_item_is_named_labelled_and_of_a_kind(self, searcher: Searcher) -> None:
        items = {item.name: item for item in searcher.memory().items}
        expected = {"codes": "ram", "lists": "ram", "row_tables": "ram", "encoder": "ram", "rss": "process"}
        expected |= {"query_vectors": "ram", "binary_file": "file"}
        for part in ("int8", "documents"):
            expected |= {f"{part}_file": "file", f"{part}_resident": "resident"}
        assert {name: item.kind for name, item in items.items()} == expected
        assert all(item.label for item in items.values())
        assert all(item.size_bytes >= 0 for item in items.values())

    def test_sizes_are_those_of_the_codes_and_the_files(self, searcher: Searcher) -> None:
        memory = searcher.memory()
        assert memory["codes"] == 400 * 8
        for name, file in (("binary", BINARY_FILE), ("int8", INT8_FILE), ("documents", DOCUMENTS_FILE)):
            assert memory[f"{name}_file"] == searcher.bundle.file(file).stat().st_size
        assert memory["rss"] > 1_000_000

    def test_bytes_of_the_vectors_are_arithmetic(self, build: Build) -> None:
        memory = opened(build(["red apple"] * 30)).memory()
        assert (memory.num_rows, memory.num_vectors, memory.dim) == (30, 1, 64)
        assert (memory.float32_bytes, memory.int8_bytes, memory.binary_bytes) == (64 * 4, 64, 8)
        assert memory["codes"] == 8
        assert memory["row_tables"] > 0

    def test_an_unknown_name_lists_those_there_are(self, searcher: Searcher) -> None:
        with pytest.raises(KeyError, match="no memory item 'nothing'; there are codes, lists, row_tables"):
            searcher.memory()["nothing"]


class Other(FakeEncoder):
    weights_sha256 = "0" * 64
    model_id = "other"


class TestOpening:
    def test_another_model_is_refused_with_both_named(self, build: Build) -> None:
        with pytest.raises(BundleIncompatibleError, match=r"built with fake \(f{16}….*the encoder is other \(0{16}…"):
            Searcher.open(build(TEXTS).path, encoder=Other())

    def test_another_dimension_is_refused_with_both_named(self, build: Build) -> None:
        with pytest.raises(BundleIncompatibleError, match=r"64 dimensions.* 32.*open it with its own model"):
            Searcher.open(build(TEXTS).path, encoder=FakeEncoder(32))

    def test_a_missing_bundle_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BundleMissingError):
            Searcher.open(tmp_path / "nowhere", encoder=FakeEncoder())

    @pytest.mark.parametrize("name", [BINARY_FILE, INT8_FILE, DOCUMENTS_FILE])
    def test_a_file_of_another_bundle_is_refused(self, build: Build, name: str) -> None:
        """Whole and with a matching record, but of an index with another number of rows."""
        bundle, other = build(TEXTS), build(TEXTS[:50], name="other")
        bundle.file(name).write_bytes(other.file(name).read_bytes())
        record = dataclasses.asdict(other.manifest.files[name])
        change_manifest(bundle, lambda values: values["files"].update({name: record}))
        with pytest.raises(BundleCorruptError, match=r"50 .*the manifest says 400 rows"):
            opened(bundle)

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_a_count_of_texts_that_the_documents_do_not_have_is_refused(self, build: Build, count: int) -> None:
        bundle = build(["a", "b", "a", "c", "b"])
        change_manifest(bundle, lambda values: values.update(distinct_text_count=count))
        with pytest.raises(BundleCorruptError, match="text id"):
            opened(bundle)

    @pytest.mark.parametrize("name", [INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE])
    def test_altered_bytes_are_found_at_opening_or_by_the_check_and_take_it_out_of_service(
        self, build: Build, name: str
    ) -> None:
        bundle = build([*TEXTS[:50], *TEXTS[:3]])
        content = bundle.file(name).read_bytes()
        alter(bundle.file(name), content.index(TEXTS[30].encode()) if name == DOCUMENTS_FILE else len(content) // 2)
        with pytest.raises(BundleError, match=r"Build the index again|build the index again"):
            opened(bundle, verify="now")
        searcher = opened(bundle, verify="background")
        searcher.files.verification.wait()
        for ask in (searcher.search, lambda query: searcher.search_many([query])):
            with pytest.raises(BundleCorruptError, match=f"out of service: .*{name} is altered"):
                ask("red")
        with pytest.raises(BundleCorruptError, match="out of service"):
            searcher.search_vector(np.ones(64))

    def test_any_damage_to_the_header_of_a_file_is_a_retrieval_error(self, build: Build) -> None:
        bundle = build([*TEXTS[:50], *TEXTS[:3]])
        for name in (INT8_FILE, BINARY_FILE):
            whole = bundle.file(name).read_bytes()
            for position in range(0, 33):
                alter(bundle.file(name), position)
                with pytest.raises(RetrievalError):
                    opened(bundle, verify="now")
                bundle.file(name).write_bytes(whole)
        opened(bundle, verify="now")

    @pytest.mark.parametrize("name", [INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE])
    def test_verifying_now_refuses_an_altered_file_before_anything_parses_one(
        self, build: Build, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        bundle = build(TEXTS[:50])
        alter(bundle.file(name), 0)
        for store in (DocumentStore, Int8Store, BinaryIndex):
            monkeypatch.setattr(store, "open", lambda *arguments: pytest.fail("a damaged bundle was parsed"))
        with pytest.raises(BundleCorruptError, match=f"{name} is altered"):
            Searcher.open(bundle.path, encoder=FakeEncoder(), verify="now")

    def test_unknown_ways_to_verify_are_refused(self, build: Build) -> None:
        with pytest.raises(ValueError, match="'background', 'now' or 'never'"):
            opened(build(TEXTS), verify="later")

    def test_a_bundle_replaced_while_the_model_loads_is_noticed(self, build: Build) -> None:
        bundle = build(TEXTS)

        class Slow(FakeEncoder):
            def encode(self, texts: Sequence[str]) -> Float32s:
                return super().encode(texts)

            @property
            def weights_sha256(self) -> str:  # type: ignore[override]
                if not replaced:
                    replaced.append(True)
                    build(random_texts(400, seed=9), overwrite=True)
                return "f" * 64

        replaced: list[bool] = []
        with pytest.raises(BundleError):
            Searcher.open(bundle.path, encoder=Slow())

    def test_opening_again_and_again_keeps_no_file_open(self, build: Build) -> None:
        bundle = build(TEXTS)
        opened(bundle, verify="now").search("red")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(10):
            opened(bundle, verify="now").search("red")
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_search_many_refuses_one_text_instead_of_asking_letter_by_letter(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(["red apple"]).path, encoder=encoder)
    with pytest.raises(QueryError, match="a list of queries"):
        searcher.search_many("red apple")


def test_int8_rows_of_every_round_are_counted_when_one_group_holds_the_best_texts(
    build: Build, encoder: FakeEncoder
) -> None:
    crowd = [{"text": f"red apple {number}", "group": "crowd"} for number in range(60)]
    rest = [{"text": f"green pear {number}", "group": f"other {number}"} for number in range(5)]
    searcher = Searcher.open(build([*crowd, *rest]).path, encoder=encoder)
    response = searcher.search("red apple", top_k=3, num_candidates=5, rescore_multiplier=1)
    assert len(response.hits) == 3
    assert response.int8_rows_read > response.num_candidates


class TestWhatFuzzingFound:
    @pytest.mark.parametrize("factor", [1e18, 1e300, 1e-30, 1e-300])
    def test_a_vector_of_any_length_finds_what_its_direction_does(self, searcher: Searcher, factor: float) -> None:
        vector = FakeEncoder().encode([QUERIES[0]])[0].astype(np.float64)
        assert rows(searcher.search_vector(vector * factor)) == rows(searcher.search_vector(vector))

    @pytest.mark.parametrize("row", [b"bytes", 2.5, None, True, [1], np.float32(1)], ids=repr)
    def test_a_row_that_is_not_a_whole_number_is_refused(self, searcher: Searcher, row: Any) -> None:
        with pytest.raises(QueryError, match="is not in this index"):
            searcher.more_like(row)

    @pytest.mark.parametrize("queries", [None, 3, np.zeros(3), [b"x"], object], ids=repr)
    def test_many_queries_that_are_not_texts_are_refused(self, searcher: Searcher, queries: Any) -> None:
        with pytest.raises(QueryError, match="needed"):
            searcher.search_many(queries)

    def test_a_scan_that_is_an_array_is_refused(self, searcher: Searcher) -> None:
        with pytest.raises(QueryError, match="scan is"):
            searcher.search(QUERIES[0], scan=np.zeros(3))  # type: ignore[arg-type]

    def test_complex_numbers_are_not_a_vector(self, searcher: Searcher) -> None:
        with pytest.raises(QueryError, match="complex"):
            searcher.search_vector(np.full(64, 1j))


_ENDS_DURING_PREPARATION = """
import sys, threading
import numpy as np
from retrieval.encoding.openvino_model import openvino
from openvino import opset13 as ops
from retrieval import Searcher
from retrieval.search.stores import files
from tests.conftest import FakeEncoder

class Prepares(FakeEncoder):
    def choose_cores(self, answer):
        given = ops.parameter([64, 64], np.float32)
        request = openvino.compile_model(openvino.Model([ops.matmul(given, given, False, False)], [given]), "CPU")
        has_begun.set()
        for _ in range(1_000):
            request(np.zeros((64, 64), np.float32))

has_begun = threading.Event()
files.WORTH_PACKING = 1
searcher = Searcher.open(sys.argv[1], encoder=Prepares(), verify="never")
assert has_begun.wait(60)
sys.exit(7)
"""


def test_a_program_that_ends_while_an_index_is_prepared_ends_with_its_own_status(searcher: Searcher) -> None:
    command = [sys.executable, "-c", _ENDS_DURING_PREPARATION, str(searcher.bundle.path)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 7, ended.stderr
