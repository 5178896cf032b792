"""A collection planted among distractors."""

from __future__ import annotations

import pyarrow as pa

from scripts.judged.planted import PlantedCorpus
from tests.conftest import RowsCorpus, random_texts


def planted(own: list[str], others: list[str | None]) -> tuple[PlantedCorpus, pa.Table]:
    corpus = PlantedCorpus(
        RowsCorpus([{"text": text} for text in own]), RowsCorpus([{"text": text} for text in others])
    )
    return corpus, pa.Table.from_batches(list(corpus.batches()))


def test_every_text_of_both_is_there_once() -> None:
    own, others = random_texts(30), random_texts(400, seed=1)
    _, table = planted(own, [*others])
    assert sorted(table.column("text").to_pylist()) == sorted(own + others)


def test_a_distractor_that_reads_like_a_text_of_the_collection_is_left_out_and_counted() -> None:
    corpus, table = planted(["Red apple", "pear"], ["red  Apple ", "plum", "pear"])
    assert sorted(table.column("text").to_pylist()) == ["Red apple", "pear", "plum"]
    assert corpus.num_identical == 2


def test_the_collection_is_scattered_so_that_it_does_not_win_the_ties() -> None:
    own = random_texts(30)
    _, table = planted(own, [*random_texts(400, seed=1)])
    places = [place for place, text in enumerate(table.column("text").to_pylist()) if text in own]
    assert min(places) > 0
    assert 100 < sum(places) / len(places) < 330


def test_the_order_is_the_same_every_time() -> None:
    own, others = random_texts(30), random_texts(50, seed=1)
    assert planted(own, [*others])[1].equals(planted(own, [*others])[1])


def test_a_distractor_has_only_its_text() -> None:
    _, table = planted(["pear"], ["plum"])
    (row,) = [row for row in table.to_pylist() if row["text"] == "plum"]
    assert {name for name, value in row.items() if value is not None} == {"text"}


def test_blank_and_null_distractors_are_not_distractors() -> None:
    corpus, table = planted(["pear"], [None, " ", "plum"])
    assert (table.num_rows, corpus.num_identical) == (2, 0)


def test_rows_of_the_collection_keep_their_columns() -> None:
    _, table = planted(["pear", "fig"], ["plum"])
    numbers = {row["text"]: row["number"] for row in table.to_pylist()}
    assert numbers == {"pear": 0, "fig": 1, "plum": None}
