"""Token ids in rectangles: nothing is lost, and what is padded is masked."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.encoding.token_batches import Tokens, batches_of_similar_length, padded

TOKENS = [Tokens([5, 6, 7], [0, 0, 1]), Tokens([8], [2])]


def test_rows_are_padded_at_the_end_and_masked() -> None:
    feed = padded(TOKENS, ["input_ids", "attention_mask", "token_type_ids"], pad_id=9)
    assert feed["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert feed["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert feed["token_type_ids"].tolist() == [[0, 0, 1], [2, 0, 0]]


def test_rows_can_be_padded_to_a_length_that_all_queries_share() -> None:
    feed = padded(TOKENS, ["input_ids", "attention_mask"], pad_id=9, least=5)
    assert feed["input_ids"].tolist() == [[5, 6, 7, 9, 9], [8, 9, 9, 9, 9]]
    assert feed["attention_mask"].sum(axis=1).tolist() == [3, 1]
    assert padded(TOKENS, ["input_ids", "attention_mask"], pad_id=9, least=2)["input_ids"].shape == (2, 3)


def test_a_model_gets_only_the_inputs_it_has() -> None:
    assert padded(TOKENS, ["input_ids", "attention_mask"], pad_id=0).keys() == {"input_ids", "attention_mask"}


@pytest.mark.parametrize("limit", [1, 7, 64, 10_000])
def test_every_text_is_in_one_batch_within_the_token_limit(limit: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 40, 100).tolist()
    batches = batches_of_similar_length(lengths, limit)
    assert sorted(row for batch in batches for row in batch) == list(range(100))
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= limit for batch in batches)


def test_no_texts_make_no_batch() -> None:
    assert batches_of_similar_length([], 512) == []
