"""Builds a bundle from a corpus: read, encode, quantize, write; in bounded memory, and resumable.

Everything is made in `NAME.building` next to the target, and renamed at the end: a half-built index is never opened,
and an existing one serves until the new one is complete. A killed build continues with the vectors it has when it is
run again with the same corpus, columns and model.
"""

from __future__ import annotations

import time
from pathlib import Path

from retrieval.bundle.bundle import Bundle
from retrieval.corpus.base import Corpus
from retrieval.encoding.encoder import Encoder
from retrieval.errors import BuildError, memory_errors
from retrieval.indexing.build import Build
from retrieval.indexing.folder import build_folder, check_target, disk_errors, swap
from retrieval.indexing.given_vectors import GivenVectors
from retrieval.indexing.options import BuildOptions
from retrieval.indexing.progress import Report
from retrieval.indexing.vector_source import EncodedTexts, VectorSource
from retrieval.indexing.workers import Workers


@memory_errors("to build the index")
def build_index(
    corpus: Corpus,
    encoder: Encoder | None,
    output: Path,
    options: BuildOptions | None = None,
    report: Report = lambda _: None,
    workers: Workers | None = None,
) -> Bundle:
    """Builds the bundle `output` and returns it, opened.

    Batches are read, encoded and quantized by `workers`, in this process when none are given.

    Without an encoder, `options.embeddings` has the vectors, and the index is searched by vector. With both, the
    encoder is the model that made the vectors: this is checked on a sample, and it encodes the queries.

    Raises:
        CorpusError: if the corpus cannot be read, or has no usable row.
        VectorsError: if the given vectors cannot be used, or are not one for each row.
        ModelError: if the encoder does not give finite vectors of its dimension.
        BuildError: if the target exists and may not be replaced, another build of it is running, or the disk is full.
        ScarceMemoryError: if memory runs out. The same build continues where it stopped.
    """
    options, workers = options or BuildOptions(), workers or Workers()
    started = time.monotonic()
    with disk_errors(output):
        # A link to a folder stays a link: what it points to is replaced, on its own disk.
        output = output.resolve()
        check_target(output, overwrite=options.overwrite)
    source = _vector_source(encoder, workers, options)
    corpus = workers.reading(corpus)
    with disk_errors(output), build_folder(output) as work:
        build = Build(corpus, source, workers, options, work, report)
        ingested = build.read()
        vectors = build.write_vectors(ingested)
        fitted = build.write_codes(ingested, vectors)
        tuning = build.tune(ingested, vectors, fitted)
        build.write_manifest(ingested, fitted, tuning, time.monotonic() - started)
        check_target(output, overwrite=options.overwrite)
        swap(work, output)
    return Bundle.open(output)


def _vector_source(encoder: Encoder | None, workers: Workers, options: BuildOptions) -> VectorSource:
    if options.embeddings is not None:
        return GivenVectors(options.embeddings, encoder, limit=options.limit)
    if encoder is None:
        raise BuildError("there is neither a model nor a file of vectors to build from: give one of them.")
    return EncodedTexts(encoder, workers)
