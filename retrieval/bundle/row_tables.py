"""Which rows share a text, and which share a group: from distinct texts back to rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.bundle.documents import DocumentStore
from retrieval.errors import BundleCorruptError
from retrieval.quantization import Float32s

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Lists:
    """For each id, its rows, in order of position: rows `starts[id]` to `starts[id + 1]` of `rows`."""

    rows: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: npt.NDArray[np.int32], what: str, count: int | None = None) -> _Lists:
        count = int(ids.max()) + 1 if count is None else count
        if ids.min() < 0 or ids.max() >= min(count, len(ids)):
            raise BundleCorruptError(
                f"the {what} ids of the documents go from {ids.min()} to {ids.max()}, where 0 to "
                f"{min(count, len(ids)) - 1} are expected. Build the index again."
            )
        rows = np.argsort(ids, kind="stable").astype(np.int32)
        counts = np.bincount(ids, minlength=count)
        if not counts.all():
            raise BundleCorruptError(f"no document has the {what} id {int(counts.argmin())}. Build the index again.")
        return cls(rows, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def __getitem__(self, wanted: int) -> npt.NDArray[np.int32]:
        return self.rows[self.starts[wanted] : self.starts[wanted + 1]]

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.starts.nbytes


@dataclass(frozen=True, slots=True)
class RowTables:
    """Texts, groups and qualities of all rows. A table without information is None."""

    num_rows: int
    text_ids: npt.NDArray[np.int32] | None
    text_rows: _Lists | None
    """None when every text is distinct: a text's id is then its row."""
    group_ids: npt.NDArray[np.int32] | None
    group_rows: _Lists | None
    qualities: npt.NDArray[np.float64] | None

    @classmethod
    def of(cls, documents: DocumentStore, *, distinct_text_count: int, grouped: bool) -> RowTables:
        """Returns the tables of a corpus with so many distinct texts; `grouped` says whether it has groups.

        Raises:
            BundleCorruptError: if the ids of texts or groups do not count from 0 without a gap.
        """
        all_distinct = distinct_text_count == len(documents)
        text_ids = None if all_distinct else documents.text_ids()
        group_ids = documents.group_ids() if grouped else None
        return cls(
            num_rows=len(documents),
            text_ids=text_ids,
            text_rows=None if text_ids is None else _Lists.of(text_ids, "text", distinct_text_count),
            group_ids=group_ids,
            group_rows=None if group_ids is None else _Lists.of(group_ids, "group"),
            qualities=documents.qualities(),
        )

    @property
    def first_rows(self) -> Rows | None:
        """Returns the first row of each distinct text, `(num_texts,)`, or None when every text is distinct."""
        if self.text_rows is None:
            return None
        return self.text_rows.rows[self.text_rows.starts[:-1]].astype(np.int64)

    @property
    def num_results(self) -> int:
        """Returns how many hits a search can give at most: groups, or rows where there are no groups."""
        return self.num_rows if self.group_rows is None else len(self.group_rows.starts) - 1

    @property
    def nbytes(self) -> int:
        """Returns the bytes of all tables."""
        tables = (self.text_ids, self.text_rows, self.group_ids, self.group_rows, self.qualities)
        return sum(table.nbytes for table in tables if table is not None)

    def first_row_of(self, texts: Rows) -> Rows:
        """Returns the first row of each text, `(m,)`."""
        if self.text_rows is None:
            return texts
        return self.text_rows.rows[self.text_rows.starts[texts]].astype(np.int64)

    def best_rows(self, texts: Rows, scores: Float32s, top_k: int) -> tuple[Rows, Rows]:
        """Returns the best `top_k` rows, one per group, and the position in `texts` each came from.

        Texts `(m,)` are given best first with their scores `(m,)`. Among equal scores, the higher quality comes first,
        then the earlier row.
        """
        if self.text_rows is None:
            rows, positions = texts, np.arange(len(texts))
        else:
            lists = [self.text_rows[int(text)] for text in texts]
            rows = np.concatenate(lists).astype(np.int64)
            positions = np.repeat(np.arange(len(texts)), [len(rows_of_text) for rows_of_text in lists])
        qualities = None if self.qualities is None else self.qualities[rows]
        groups = None if self.group_ids is None else self.group_ids[rows]
        return best_first(rows, positions, scores, qualities, groups, top_k)

    def members(self, rows: Rows, texts: Rows) -> list[tuple[int, ...]]:
        """Returns, for each row, the other rows of its group: those of the texts found first, then by quality."""
        if self.group_ids is None or self.group_rows is None:
            return [()] * len(rows)
        places = {int(text): place for place, text in enumerate(texts)}
        lists: list[tuple[int, ...]] = []
        for row in rows:
            own = self.group_rows[int(self.group_ids[row])]
            if len(own) == 1:
                lists.append(())
                continue
            others = own[own != row].astype(np.int64)
            own_texts = others if self.text_ids is None else self.text_ids[others]
            qualities = None if self.qualities is None else self.qualities[others]
            lists.append(members_first(others, own_texts, places, qualities))
        return lists


def best_first(
    rows: Rows,
    positions: Rows,
    scores: Float32s,
    qualities: npt.NDArray[np.float64] | None,
    groups: npt.NDArray[np.integer] | None,
    top_k: int,
) -> tuple[Rows, Rows]:
    """Returns the best `top_k` of some rows `(m,)`, one per group, and their positions; see `RowTables.best_rows`.

    Args:
        rows: the rows of some texts.
        positions: which text each row has, `(m,)`.
        scores: of the texts.
        qualities: of the rows; None if none has one.
        groups: of the rows; None if there are none.
        top_k: how many.
    """
    quality = np.zeros(len(rows)) if qualities is None else qualities
    order = np.lexsort((rows, -quality, -scores[positions]))
    if groups is not None:
        _, first = np.unique(groups[order], return_index=True)
        first.sort()
        order = order[first]
    return rows[order[:top_k]], positions[order[:top_k]]


def members_first(
    others: Rows, texts: Rows, places: Mapping[int, int], qualities: npt.NDArray[np.float64] | None
) -> tuple[int, ...]:
    """Returns the other rows of a group, `(m,)`: those whose texts come first in `places`, then by quality."""
    place = np.array([places.get(int(text), len(places)) for text in texts])
    quality = np.zeros(len(others)) if qualities is None else qualities
    return tuple(others[np.lexsort((others, -quality, place))].tolist())
