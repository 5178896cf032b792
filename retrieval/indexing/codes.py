"""The third pass of a build: the vectors of the distinct texts as the codes of all rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_file import write_binary_index
from retrieval.bundle.int8_store import write_int8_store
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.indexing.ingestion import Ingested
from retrieval.indexing.progress import BuildProgress, Report
from retrieval.indexing.vector_file import VectorFile
from retrieval.indexing.workers import Workers
from retrieval.quantization import Bits, Float32s, Int8Quantizer, SignQuantizer

_CHUNK_ROWS = 8_192
"""Vectors in RAM at once after encoding, and sent to a worker at once: 13 MB at 384 dimensions."""
_COUNTED_ROWS = 8192
"""Codes unpacked at once; their sum fits into 16 bits."""
_UNIFORM_SHARE = 0.02
"""A bit that differs in fewer of the codes than this says next to nothing."""


@dataclass(frozen=True, slots=True)
class FittedCodes:
    """The quantizers that made the codes of an index."""

    int8: Int8Quantizer
    signs: SignQuantizer
    num_uniform: int
    """Dimensions whose bit is the same in nearly all rows."""


def write_codes(
    work: Path,
    ingested: Ingested,
    vectors: VectorFile,
    workers: Workers,
    *,
    baseline: bool,
    center: bool,
    report: Report,
) -> FittedCodes:
    """Writes sign bits, int8 codes and, if asked for, the float32 baseline of all rows to the build folder `work`.

    Returns:
        What was fitted on the vectors; with `center`, the bits are taken around their mean.

    Raises:
        OSError: if the disk is full, or a file cannot be written.
    """
    quantizer = Int8Quantizer.fit(vectors.batches(_CHUNK_ROWS))
    signs = SignQuantizer.fit(vectors.batches(_CHUNK_ROWS)) if center else SignQuantizer()
    balance = _BitBalance(vectors.dim)
    unique = ingested.distinct_text_count == ingested.row_count

    def rows(file: str) -> Iterator[Float32s]:
        report(BuildProgress("writing", message=file))
        return vectors.batches(_CHUNK_ROWS) if unique else vectors.gather(ingested.text_ids, _CHUNK_ROWS)

    bits = workers.map(signs.encode, rows(BINARY_FILE))
    write_binary_index(work / BINARY_FILE, vectors.dim, map(balance.counted, bits))
    write_int8_store(work / INT8_FILE, vectors.dim, workers.map(quantizer.encode, rows(INT8_FILE)))
    # A killed build may have left a hard link to the vectors here: writing to it would change them.
    (work / EMBEDDINGS_FILE).unlink(missing_ok=True)
    if baseline:
        _write_baseline(work / EMBEDDINGS_FILE, ingested.text_ids, vectors, unique=unique)
    return FittedCodes(quantizer, signs, balance.num_uniform)


class _BitBalance:
    """Counts how often each bit is 1 in the codes that pass through."""

    def __init__(self, dim: int) -> None:
        self._ones = np.zeros(dim, np.int64)
        self._num_codes = 0

    def counted(self, codes: Bits) -> Bits:
        """Returns the codes `(n, ceil(dim / 8))` as they are."""
        for start in range(0, len(codes), _COUNTED_ROWS):
            bits = np.unpackbits(codes[start : start + _COUNTED_ROWS], axis=1, count=len(self._ones))
            self._ones += bits.sum(axis=0, dtype=np.uint16)
        self._num_codes += len(codes)
        return codes

    @property
    def num_uniform(self) -> int:
        """Returns how many bits are the same in nearly all codes."""
        rarer = np.minimum(self._ones, self._num_codes - self._ones)
        return int(np.sum(rarer <= _UNIFORM_SHARE * self._num_codes))


def _write_baseline(path: Path, text_ids: npt.NDArray[np.int32], vectors: VectorFile, *, unique: bool) -> None:
    if unique:
        try:
            # Not a move: a build that is killed from here on can still find its vectors.
            path.hardlink_to(vectors.path)
            return
        except OSError:
            path.unlink(missing_ok=True)  # no hard links on this file system: write them out
    target = VectorFile(path, len(text_ids), vectors.dim)
    target.truncate(0)
    for batch in vectors.gather(text_ids, _CHUNK_ROWS):
        target.append(batch)
