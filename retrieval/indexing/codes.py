"""The third pass of a build: the vectors of the distinct texts as the codes of all rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import write_binary_index
from retrieval.bundle.bundle import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.bundle.int8_store import write_int8_store
from retrieval.indexing.ingestion import Ingested
from retrieval.indexing.progress import BuildProgress, Report
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Float32s, Int8Quantizer, binarize

_CHUNK_ROWS = 32_768
"""Vectors in RAM at once after encoding: 50 MB at 384 dimensions."""


def write_codes(
    work: Path, ingested: Ingested, vectors: VectorFile, *, baseline: bool, report: Report
) -> Int8Quantizer:
    """Writes sign bits, int8 codes and, if asked for, the float32 baseline of all rows to the build folder `work`.

    Returns:
        The quantizer, fitted on the vectors.

    Raises:
        OSError: if the disk is full, or a file cannot be written.
    """
    quantizer = Int8Quantizer.fit(vectors.batches(_CHUNK_ROWS))
    unique = ingested.distinct_text_count == ingested.row_count

    def rows(file: str) -> Iterator[Float32s]:
        report(BuildProgress("writing", message=file))
        return vectors.batches(_CHUNK_ROWS) if unique else vectors.gather(ingested.text_ids, _CHUNK_ROWS)

    write_binary_index(work / BINARY_FILE, vectors.dim, (binarize(batch) for batch in rows(BINARY_FILE)))
    write_int8_store(work / INT8_FILE, vectors.dim, (quantizer.encode(batch) for batch in rows(INT8_FILE)))
    # A killed build may have left a second name of the vectors here: writing to it would change them.
    (work / EMBEDDINGS_FILE).unlink(missing_ok=True)
    if baseline:
        _write_baseline(work / EMBEDDINGS_FILE, ingested.text_ids, vectors, unique=unique)
    return quantizer


def _write_baseline(path: Path, text_ids: npt.NDArray[np.int32], vectors: VectorFile, *, unique: bool) -> None:
    if unique:
        try:
            # Not a move: a build that is killed from here on still finds its vectors.
            path.hardlink_to(vectors.path)
            return
        except OSError:
            path.unlink(missing_ok=True)  # no hard links on this file system: write them out
    target = VectorFile(path, len(text_ids), vectors.dim)
    target.truncate(0)
    for batch in vectors.gather(text_ids, _CHUNK_ROWS):
        target.append(batch)
