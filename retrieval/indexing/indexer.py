"""Builds a bundle from a corpus: read, encode, quantize, write; in bounded memory, and resumable.

Everything is made in `NAME.building` next to the target, and renamed at the end: a half-built index is never opened,
and an existing one serves until the new one is complete. A killed build continues with the vectors it has when it is
run again with the same corpus, columns and model.
"""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.files import sync
from retrieval.bundle.kept_warning import kept_warning
from retrieval.bundle.manifest import (
    CENTERED_FORMAT_VERSION,
    DOCUMENTS_FILE,
    FILES,
    FORMAT_VERSION,
    LISTS_FILE,
    MANIFEST_FILE,
    NO_MODEL,
    FileRecord,
    Manifest,
)
from retrieval.bundle.tuning import DEFAULT_TARGET_SHARE, Tuning, is_share
from retrieval.bundle.versions import installed_versions
from retrieval.corpus.base import Corpus, CorpusInfo
from retrieval.corpus.examples import sampled_examples
from retrieval.encoding.encoder import Encoder
from retrieval.errors import BuildError, counted, memory_errors
from retrieval.indexing.codes import FittedCodes, write_codes
from retrieval.indexing.disk_need import DiskNeed, check_after_reading, check_before_reading
from retrieval.indexing.folder import TEXTS_FILE, build_folder, check_target, disk_errors, swap
from retrieval.indexing.given_vectors import GivenVectors
from retrieval.indexing.ingestion import Ingested, ingest, read_texts
from retrieval.indexing.lists import build_lists, chosen_lists
from retrieval.indexing.progress import BuildProgress, Report
from retrieval.indexing.tuning_sweep import TuningSweep
from retrieval.indexing.vector_file import VectorFile
from retrieval.indexing.vector_source import EncodedTexts, VectorSource
from retrieval.indexing.vectors import write_vectors
from retrieval.indexing.workers import Workers
from retrieval.results import SearchSettings

_PACKAGES = ("faiss-cpu", "usearch", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Options of a build."""

    limit: int | None = None
    """Read at most this many rows."""
    overwrite: bool = False
    baseline: bool = True
    """Keep the float32 embeddings, which the exact search and the measurements need."""
    embeddings: Path | None = None
    """A `.npy` file of existing vectors, one per row of the corpus as read; then nothing is encoded."""
    title: str | None = None
    """What the documents are, in one line for people; the source's own title when not given."""
    target_share: float = DEFAULT_TARGET_SHARE
    """The search settings are the smallest that keep this share of what rescoring all int8 vectors would find."""
    lists: int | None = None
    """How many lists the scan `lists` gets; 0 for none, None for a suitable number from a million texts on,
    and none below that."""
    center: bool = False
    """Subtract the mean of the vectors before the sign: for vectors whose dimensions mostly have one sign."""

    checkpoint_texts: int = 4096
    """Vectors made between two checkpoints: the most that a kill costs."""

    def __post_init__(self) -> None:
        if not is_share(self.target_share):
            raise BuildError(f"target_share is {self.target_share!r}: a number above 0, and at most 1, is needed.")
        if self.lists is not None and (type(self.lists) is not int or self.lists < 0):
            raise BuildError(f"lists is {self.lists!r}: a whole number from 0 on, or None, is needed.")


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
        note = partial(_note, report)
        _check_disk_before(corpus, source, options, work, note)
        told = _tell(corpus.notes, (), note)
        (work / DOCUMENTS_FILE).parent.mkdir(exist_ok=True)
        ingested = ingest(
            corpus,
            work / DOCUMENTS_FILE,
            work / TEXTS_FILE,
            limit=options.limit,
            row_keys=source.row_keys,
            on_rows=lambda rows: report(BuildProgress("reading", rows, corpus.num_rows)),
        )
        told = _tell(corpus.notes, told, note)
        if ingested.dropped_rows:
            dropped = counted(ingested.dropped_rows, "row without text was", "rows without text were")
            note(f"{dropped} left out.")
        for message in source.check(ingested, work / TEXTS_FILE):
            note(message)
        num_texts = ingested.distinct_text_count
        need = DiskNeed(ingested.row_count, num_texts, source.dim, options.baseline, options.lists)
        check_after_reading(need, work, note)
        fingerprint = _fingerprint(corpus, source, ingested)
        vectors = write_vectors(work, ingested, source, fingerprint, options.checkpoint_texts, report)
        fitted = write_codes(
            work, ingested, vectors, workers, baseline=options.baseline, center=options.center, report=report
        )
        _write_lists(work, ingested, vectors, fitted, options, report)
        tuning = _tune(work, ingested, vectors, fitted, options, report)
        _write_manifest(work, corpus, source, ingested, fitted, tuning, told, options, time.monotonic() - started)
        check_target(output, overwrite=options.overwrite)
        swap(work, output)
    return Bundle.open(output)


def _note(report: Report, message: str) -> None:
    report(BuildProgress("note", message=message))


def _check_disk_before(
    corpus: Corpus, source: VectorSource, options: BuildOptions, work: Path, note: Callable[[str], None]
) -> None:
    num_rows = source.num_rows if source.num_rows is not None else corpus.num_rows
    if num_rows is not None:
        num_rows = min(num_rows, num_rows if options.limit is None else options.limit)
        check_before_reading(DiskNeed(num_rows, num_rows, source.dim, options.baseline, options.lists), work, note)


def _tell(notes: Sequence[str], told: tuple[str, ...], note: Callable[[str], None]) -> tuple[str, ...]:
    """Reports the notes that were not reported yet, and returns all that were."""
    for message in notes:
        if message not in told:
            note(message)
            told = (*told, message)
    return told


def _vector_source(encoder: Encoder | None, workers: Workers, options: BuildOptions) -> VectorSource:
    if options.embeddings is not None:
        return GivenVectors(options.embeddings, encoder, limit=options.limit)
    if encoder is None:
        raise BuildError("there is neither a model nor a file of vectors to build from: give one of them.")
    return EncodedTexts(encoder, workers)


def _fingerprint(corpus: Corpus, source: VectorSource, ingested: Ingested) -> str:
    parts = {
        "corpus": corpus.info.name,
        "content": ingested.content_sha256,
        "columns": dict(corpus.columns),
        "weights": source.weights_sha256,
        "vectors": source.content_sha256,
        "dim": source.dim,
    }
    return json.dumps(parts, sort_keys=True)


def _write_lists(
    work: Path, ingested: Ingested, vectors: VectorFile, fitted: FittedCodes, options: BuildOptions, report: Report
) -> None:
    """Writes the lists of the distinct texts, if requested."""
    (work / LISTS_FILE).unlink(missing_ok=True)
    if num_lists := chosen_lists(options.lists, ingested.distinct_text_count):
        report(BuildProgress("writing", message=LISTS_FILE))
        build_lists(work / LISTS_FILE, vectors, num_lists, fitted.signs)


def _tune(
    work: Path, ingested: Ingested, vectors: VectorFile, fitted: FittedCodes, options: BuildOptions, report: Report
) -> Tuning | None:
    report(BuildProgress("tuning", message="search settings"))
    sweep = TuningSweep(work, vectors, fitted.int8, ingested.text_ids, fitted.signs)
    tuning = sweep.run(options.target_share, lambda done, total: report(BuildProgress("tuning", done, total)))
    is_centered = fitted.signs.center is not None
    if warning := kept_warning(tuning, vectors.dim, fitted.num_uniform, is_centered=is_centered):
        report(BuildProgress("note", message=f"WARNING: {warning}"))
    report(BuildProgress("note", message=str(tuning or "Too few texts to choose search settings: using the defaults.")))
    return tuning


def _default_search() -> dict[str, object]:
    settings = SearchSettings()
    return {
        "num_candidates": settings.num_candidates,
        "rescore_multiplier": settings.rescore_multiplier,
        "source": "default",
    }


def _write_manifest(
    work: Path,
    corpus: Corpus,
    source: VectorSource,
    ingested: Ingested,
    fitted: FittedCodes,
    tuning: Tuning | None,
    told: Sequence[str],
    options: BuildOptions,
    build_seconds: float,
) -> None:
    names = [name for name in FILES if (work / name).is_file()]
    manifest = Manifest(
        corpus=_about(corpus, options, work),
        row_count=ingested.row_count,
        distinct_text_count=ingested.distinct_text_count,
        group_count=ingested.group_count,
        dropped_rows=ingested.dropped_rows,
        model_id=source.model_id or NO_MODEL,
        weights_sha256=source.weights_sha256 or NO_MODEL,
        dim=source.dim,
        int8=fitted.int8.to_json(),
        search=_default_search() if tuning is None else tuning.to_json(),
        files={name: FileRecord.of(work / name) for name in names},
        versions={"python": platform.python_version(), **installed_versions(_PACKAGES)},
        built_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        build_seconds=round(build_seconds, 1),
        columns=dict(corpus.columns),
        bits={**fitted.signs.to_json(), "uniform_dimensions": fitted.num_uniform},
        format_version=FORMAT_VERSION if fitted.signs.center is None else CENTERED_FORMAT_VERSION,
        notes=told,
    )
    for name in names:
        sync(work / name)
    (work / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    sync(work / MANIFEST_FILE)
    sync(work)


def _about(corpus: Corpus, options: BuildOptions, work: Path) -> CorpusInfo:
    about = corpus.info
    return replace(
        about,
        title=options.title or about.title,
        examples=about.examples or sampled_examples(partial(read_texts, work / TEXTS_FILE)),
    )
