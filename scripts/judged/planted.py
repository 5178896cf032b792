"""A judged collection planted among other texts: the same questions, in a bigger haystack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS, Corpus, CorpusInfo, WrappedCorpus, sliced

_ORDER_SEED = 0


class PlantedCorpus(WrappedCorpus):
    """The rows of a collection, scattered among distractors.

    Scattered, because equal scores are answered in order of row: a collection that stands in front would win each tie,
    and sign bits alone tie often.
    """

    def __init__(self, collection: Corpus, distractors: Corpus) -> None:
        super().__init__(collection)
        self._distractors = distractors
        self.num_identical = 0
        """Distractors left out because the collection has the same text; known once `batches` was read."""

    @property
    def info(self) -> CorpusInfo:
        """Returns the collection's own, with the distractors in the title."""
        info = self._corpus.info
        return replace(info, title=f"{info.title} among the texts of {self._distractors.info.title}")

    @property
    def notes(self) -> Sequence[str]:
        """Returns what there is to tell of the collection, then of the distractors."""
        return (*self._corpus.notes, *self._distractors.notes)

    @property
    def num_rows(self) -> None:
        """Returns None: it is known only after reading."""
        return None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields all rows in a fixed random order; a distractor has its text, and null in every other column.

        Raises:
            CorpusError: if the collection or the distractors cannot be read.
        """
        collection = pa.Table.from_batches(list(self._corpus.batches()))
        taken = {_normal(text) for text in collection.column("text").to_pylist() if text is not None}
        texts = [
            text
            for batch in self._distractors.batches()
            for text in batch.column("text").to_pylist()
            if text is not None and text.strip()
        ]
        kept = [text for text in texts if _normal(text) not in taken]
        self.num_identical = len(texts) - len(kept)
        columns = [
            pa.array(kept, field.type) if field.name == "text" else pa.nulls(len(kept), field.type)
            for field in collection.schema
        ]
        table = pa.concat_tables([collection, pa.Table.from_arrays(columns, schema=collection.schema)])
        order = np.random.default_rng(_ORDER_SEED).permutation(table.num_rows)
        for start in range(0, table.num_rows, BATCH_ROWS):
            rows = table.take(pa.array(order[start : start + BATCH_ROWS])).combine_chunks()
            for batch in rows.to_batches():
                yield from sliced(batch)


def _normal(text: str) -> str:
    """Texts that differ in case or spaces are the same to a reader: one of them judged, the other must not compete."""
    return " ".join(text.split()).casefold()
