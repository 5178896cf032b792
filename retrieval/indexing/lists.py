"""The lists of an index: the sign bits again, sorted by the centroid that is nearest to each text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Bits, Float32s, SignQuantizer, num_code_bytes
from retrieval.search.scans.lists import list_centroids, nearest_list, write_lists

AUTO_FROM_TEXTS = 1_000_000
"""Below, comparing a query with all sign bits takes a millisecond or two: skipping some gains little."""
_LISTS_PER_ROOT = 1.33
"""Lists per square root of the number of texts. With half as many, a query visits 1.4 times as many texts for the same
recall (593,891 texts). With twice as many, it visits hardly fewer, and is compared with more centroids."""
_SAMPLE_PER_LIST = 64
_SAMPLES_AT_ONCE = 1_024
_CHUNK_ROWS = 8_192
_SEED = 0


def auto_lists(num_texts: int) -> int:
    """Returns a suitable number of lists: the power of two nearest to 1.33 times the square root of the texts."""
    return int(2 ** max(0, round(np.log2(_LISTS_PER_ROOT * np.sqrt(num_texts)))))


def chosen_lists(num_lists: int | None, num_texts: int) -> int:
    """Returns how many lists a build makes, 0 for none; None stands for `auto`."""
    if num_lists is None:
        return auto_lists(num_texts) if num_texts >= AUTO_FROM_TEXTS else 0
    return min(num_lists, num_texts)


def build_lists(path: Path, vectors: VectorFile, num_lists: int, signs: SignQuantizer) -> None:
    """Writes the lists of all distinct texts to `path`; in RAM, only two copies of their sign bits grow with them.

    Args:
        path: the file.
        vectors: float32 vectors of the texts.
        num_lists: how many lists, from 1 to the number of texts.
        signs: what makes the bits.

    Raises:
        OSError: if the file cannot be written.
    """
    centroids = list_centroids(_sample(vectors, num_lists), num_lists)
    numbers = np.empty(vectors.num_vectors, np.int32)
    codes = np.empty((vectors.num_vectors, num_code_bytes(vectors.dim)), np.uint8)
    start = 0
    for batch in vectors.batches(_CHUNK_ROWS):
        own = slice(start, start + len(batch))
        numbers[own], codes[own] = nearest_list(centroids, batch), signs.encode(batch)
        start += len(batch)
    write_lists(path, vectors.dim, centroids, _lists(numbers, codes, num_lists))


def _sample(vectors: VectorFile, num_lists: int) -> Float32s:
    count = min(vectors.num_vectors, _SAMPLE_PER_LIST * num_lists)
    sampled = np.sort(np.random.default_rng(_SEED).choice(vectors.num_vectors, count, replace=False))
    # In chunks: each reads a part of the file, whose pages do not stay in this process.
    return np.concatenate(list(vectors.gather(sampled, _SAMPLES_AT_ONCE)))


def _lists(numbers: npt.NDArray[np.int32], codes: Bits, num_lists: int) -> Iterator[tuple[npt.NDArray[np.int64], Bits]]:
    by_list = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=num_lists))
    for texts in np.split(by_list, ends[:-1]):
        yield texts, codes[texts]
