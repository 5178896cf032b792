"""The search path: every stage and knob against an oracle."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import STAGES, Searcher, build_index
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE
from tests.conftest import Build, FakeEncoder, RowsCorpus
from tests.search.searchers import QUERIES, TEXTS, opened, rows
from tests.support import Oracle, change_manifest


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
