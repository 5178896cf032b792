"""Token ids into the rectangular arrays that a model takes: batched by length, padded at the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text as a tokenizer gives it."""

    ids: Sequence[int]
    type_ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)


def padded(
    texts: Sequence[Tokens], inputs: Collection[str], pad_id: int, least: int = 0
) -> dict[str, npt.NDArray[np.int64]]:
    """Returns the named `inputs` of a model, each int64 `(len(texts), longest)`, or `least` where that is more.

    What is padded is masked.
    """
    shape = (len(texts), max(least, *(len(text) for text in texts)))
    feed = {name: np.zeros(shape, dtype=np.int64) for name in inputs}
    feed["input_ids"] += pad_id
    for row, text in enumerate(texts):
        feed["input_ids"][row, : len(text)] = text.ids
        feed["attention_mask"][row, : len(text)] = 1
        if "token_type_ids" in feed:
            feed["token_type_ids"][row, : len(text)] = text.type_ids
    return feed


def batches_of_similar_length(lengths: Sequence[int], tokens_per_batch: int) -> list[list[int]]:
    """Returns the positions in `lengths` in batches, shortest first, of at most `tokens_per_batch` with padding.

    A text that is longer than that is a batch of its own.
    """
    batches: list[list[int]] = []
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > tokens_per_batch:
            batches.append(batch)
            batch = []
        batch.append(row)
    if batch:
        batches.append(batch)
    return batches
