"""Rows that share a text or a group: candidates are counted by text, hits by group."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from retrieval import Searcher
from tests.conftest import Build, FakeEncoder
from tests.search.searchers import TEXTS, opened, rows


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


def test_int8_rows_of_every_round_are_counted_when_one_group_holds_the_best_texts(
    build: Build, encoder: FakeEncoder
) -> None:
    crowd = [{"text": f"red apple {number}", "group": "crowd"} for number in range(60)]
    rest = [{"text": f"green pear {number}", "group": f"other {number}"} for number in range(5)]
    searcher = Searcher.open(build([*crowd, *rest]).path, encoder=encoder)
    response = searcher.search("red apple", top_k=3, num_candidates=5, rescore_multiplier=1)
    assert len(response.hits) == 3
    assert response.int8_rows_read > response.num_candidates
