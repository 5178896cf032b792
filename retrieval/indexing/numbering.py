"""Distinct keys, numbered in order of first appearance, in about 36 bytes of RAM per key.

A Python dict of 16-byte digests takes five times as much: 2 GB for ten million keys.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

DIGEST_BYTES = 16
_FEWEST_SLOTS = 1 << 12
_MOST_FULL = 0.5
"""The largest share of taken slots: beyond it, finding a free one takes longer."""
_KEYS_MOVED_AT_ONCE = 1 << 16

Digests = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]
_Kind = TypeVar("_Kind", bound=np.generic)


class Numbering:
    """A hash table with open addressing over digests of keys: two keys of one digest are taken as the same."""

    def __init__(self) -> None:
        self._count = 0
        self._num_keys = 0
        self._keys = np.empty((_FEWEST_SLOTS, 2), np.uint64)
        self._numbers = np.empty(_FEWEST_SLOTS, np.int32)
        self._slots = np.full(_FEWEST_SLOTS, -1, np.int32)
        """Positions of keys, each in the first free slot from the one given by its first 8 bytes; -1 is free."""

    def __len__(self) -> int:
        return self._count

    def number(self, digests: bytes, has_key: npt.NDArray[np.bool_]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """Returns the number of each of n rows, int32 `(n,)`, and which rows are the first with theirs, `(n,)`.

        Args:
            digests: 16 bytes for each row that has a key, in order.
            has_key: `(n,)`; a row without one gets its own number.
        """
        keyed = np.flatnonzero(has_key)
        distinct, first, inverse = np.unique(
            np.frombuffer(digests, f"S{DIGEST_BYTES}"), return_index=True, return_inverse=True
        )
        keys = distinct.view(np.uint64).reshape(-1, 2)
        known = self._find(keys)
        is_new_key = known < 0
        is_first = ~has_key
        is_first[keyed[first[is_new_key]]] = True
        numbers = (self._count - 1 + np.cumsum(is_first)).astype(np.int32)
        of_keys = np.where(is_new_key, numbers[keyed[first]], self._numbers[known])
        numbers[keyed] = of_keys[inverse]
        self._add(keys[is_new_key], of_keys[is_new_key])
        self._count += int(np.count_nonzero(is_first))
        return numbers, is_first

    def _find(self, keys: Digests) -> Numbers:
        """Returns the position of each key `(m, 2)`, `(m,)`; -1 for one that is not there."""
        found = np.full(len(keys), -1, np.int32)
        slots, left = self._first_slots(keys), np.arange(len(keys))
        while len(left):
            held = self._slots[slots[left]]
            is_taken = held >= 0
            is_same = is_taken & (self._keys[held] == keys[left]).all(axis=1)
            found[left[is_same]] = held[is_same]
            left = left[is_taken & ~is_same]
            slots[left] = self._next(slots[left])
        return found

    def _add(self, keys: Digests, numbers: Numbers) -> None:
        """Adds distinct keys `(m, 2)` that are not there yet."""
        end = self._num_keys + len(keys)
        if end > len(self._keys):
            self._keys = _grown(self._keys, self._num_keys, end)
            self._numbers = _grown(self._numbers, self._num_keys, end)
        own = slice(self._num_keys, end)
        self._keys[own], self._numbers[own] = keys, numbers
        if end > _MOST_FULL * len(self._slots):
            self._slots = np.full(len(_grown(self._slots, 0, int(end / _MOST_FULL))), -1, np.int32)
            own = slice(0, end)
        for start in range(own.start, own.stop, _KEYS_MOVED_AT_ONCE):
            self._place(np.arange(start, min(start + _KEYS_MOVED_AT_ONCE, own.stop), dtype=np.int32))
        self._num_keys = end

    def _place(self, positions: Numbers) -> None:
        """Puts keys that have a position into free slots."""
        slots, left = self._first_slots(self._keys[positions]), np.arange(len(positions))
        while len(left):
            wanted = slots[left]
            is_free = self._slots[wanted] < 0
            self._slots[wanted[is_free]] = positions[left[is_free]]
            left = left[self._slots[wanted] != positions[left]]  # if several want the same slot, one gets it
            slots[left] = self._next(slots[left])

    def _first_slots(self, keys: Digests) -> npt.NDArray[np.int64]:
        return (keys[:, 0] & np.uint64(len(self._slots) - 1)).astype(np.int64)

    def _next(self, slots: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return (slots + 1) & (len(self._slots) - 1)


def _grown(array: npt.NDArray[_Kind], num_kept: int, num_needed: int) -> npt.NDArray[_Kind]:
    """Returns an array twice as long, or as often as needed, with the first `num_kept` entries."""
    length = len(array)
    while length < num_needed:
        length *= 2
    grown = np.empty((length, *array.shape[1:]), array.dtype)
    grown[:num_kept] = array[:num_kept]
    return grown
