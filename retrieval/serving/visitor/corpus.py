"""A visitor's table as a corpus: a limited number of rows, texts of limited length, and notes on what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import Corpus, CorpusInfo, WrappedCorpus
from retrieval.errors import CorpusError

_TEXT = "text"
_EXAMPLE_CHARS = (12, 60)
_MAX_EXAMPLES = 4
_EXAMPLE_STEP = 7
"""Every n-th fitting text becomes an example: neighbours in a file are often alike."""
_SAMPLED_TEXTS = 400
_LOOKED_AT_CHARS = 5_000
"""More than any model here reads."""


@dataclass
class Seen:
    """What was seen while the rows were read."""

    rows_in_file: int = 0
    """Rows counted, those beyond the limit included."""
    counted_all: bool = True
    """Whether the count reached the end of the file."""
    rows_used: int = 0
    cut_texts: int = 0
    non_ascii_texts: int = 0
    sample: list[str] = field(default_factory=list)
    """Texts spread over the rows read, for a look at their length."""


class BoundedCorpus(WrappedCorpus):
    """The first rows of another corpus."""

    def __init__(self, corpus: Corpus, title: str, *, max_rows: int, max_text_chars: int) -> None:
        super().__init__(corpus)
        self._title = title
        self._max_rows = max_rows
        self._max_text_chars = max_text_chars
        self._fitting: list[str] = []
        self.seen = Seen()

    @property
    def info(self) -> CorpusInfo:
        """Returns the name that the visitor knows; the examples are there once the rows were read."""
        examples = tuple(dict.fromkeys(self._fitting[::_EXAMPLE_STEP]))[:_MAX_EXAMPLES]
        return replace(self._corpus.info, title=self._title, examples=examples)

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows that will be used, if it is known."""
        known = self._corpus.num_rows
        return None if known is None else min(known, self._max_rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the first rows, then counts the others.

        Raises:
            CorpusError: if a row that is used cannot be read.
        """
        self.seen = Seen()
        batches = self._corpus.batches()
        for batch in batches:
            self.seen.rows_in_file += batch.num_rows
            used = batch.slice(0, self._max_rows - self.seen.rows_used)
            self.seen.rows_used += used.num_rows
            yield self._bounded(used)
            if self.seen.rows_used >= self._max_rows:
                break
        self._count(batches)

    def _bounded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts = batch.column(_TEXT)
        self._look_at(pc.utf8_slice_codeunits(texts, 0, _LOOKED_AT_CHARS))
        too_long = pc.sum(pc.greater(pc.utf8_length(texts), self._max_text_chars)).as_py() or 0
        if not too_long:
            return batch
        self.seen.cut_texts += too_long
        cut = pc.utf8_slice_codeunits(texts, 0, self._max_text_chars)
        return batch.set_column(batch.schema.get_field_index(_TEXT), _TEXT, cut)

    def _look_at(self, texts: pa.Array) -> None:
        self.seen.non_ascii_texts += pc.sum(pc.invert(pc.string_is_ascii(texts))).as_py() or 0
        step = max(1, len(texts) // _SAMPLED_TEXTS)
        few = [text for text in texts.take(pa.array(range(0, len(texts), step))).to_pylist() if text]
        self.seen.sample = (self.seen.sample + few)[-_SAMPLED_TEXTS:]
        shortest, longest = _EXAMPLE_CHARS
        one_line = (" ".join(text.split()) for text in few)
        self._fitting.extend(text for text in one_line if shortest <= len(text) <= longest)

    def _count(self, batches: Iterator[pa.RecordBatch]) -> None:
        """A fault beyond the rows that are used is no reason to refuse them."""
        try:
            for batch in batches:
                self.seen.rows_in_file += batch.num_rows
        except CorpusError:
            self.seen.counted_all = False
