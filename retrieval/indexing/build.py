"""The steps of a build, each of which writes files of the index to the build's folder."""

from __future__ import annotations

import datetime
import json
import platform
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

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
from retrieval.bundle.tuning import Tuning
from retrieval.bundle.versions import installed_versions
from retrieval.corpus.base import Corpus, CorpusInfo
from retrieval.corpus.examples import sampled_examples
from retrieval.errors import counted
from retrieval.indexing.codes import FittedCodes, write_codes
from retrieval.indexing.disk_need import DiskNeed, check_after_reading, check_before_reading
from retrieval.indexing.folder import TEXTS_FILE
from retrieval.indexing.ingestion import Ingested, ingest, read_texts
from retrieval.indexing.lists import build_lists, chosen_lists
from retrieval.indexing.options import BuildOptions
from retrieval.indexing.progress import BuildProgress, Report
from retrieval.indexing.tuning_sweep import TuningSweep
from retrieval.indexing.vector_file import VectorFile
from retrieval.indexing.vector_source import VectorSource
from retrieval.indexing.vectors import write_vectors
from retrieval.indexing.workers import Workers
from retrieval.results import SearchSettings

_PACKAGES = ("faiss-cpu", "usearch", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class Build:
    """A build that is under way: its steps, in the order in which they are taken."""

    corpus: Corpus
    source: VectorSource
    workers: Workers
    options: BuildOptions
    work: Path
    """The folder that the index is made in."""
    report: Report
    _told: list[str] = field(default_factory=list)
    """What was told of the notes of the corpus."""

    def read(self) -> Ingested:
        """Reads the corpus into the documents file, and checks what follows from it.

        Raises:
            CorpusError: if the corpus cannot be read, or has no usable row.
            VectorsError, ModelError: if the vectors cannot be those of the texts.
            BuildError: if there is not enough disk for the index.
        """
        self._check_disk_before()
        self._tell_notes()
        (self.work / DOCUMENTS_FILE).parent.mkdir(exist_ok=True)
        ingested = ingest(
            self.corpus,
            self.work / DOCUMENTS_FILE,
            self.work / TEXTS_FILE,
            limit=self.options.limit,
            row_keys=self.source.row_keys,
            on_rows=lambda rows: self.report(BuildProgress("reading", rows, self.corpus.num_rows)),
        )
        self._tell_notes()
        if ingested.dropped_rows:
            dropped = counted(ingested.dropped_rows, "row without text was", "rows without text were")
            self._note(f"{dropped} left out.")
        for message in self.source.check(ingested, self.work / TEXTS_FILE):
            self._note(message)
        check_after_reading(self._need(ingested.row_count, ingested.distinct_text_count), self.work, self._note)
        return ingested

    def write_vectors(self, ingested: Ingested) -> VectorFile:
        """Writes the vectors of the distinct texts, going on where a killed build of the same inputs was."""
        parts = {
            "corpus": self.corpus.info.name,
            "content": ingested.content_sha256,
            "columns": dict(self.corpus.columns),
            "weights": self.source.weights_sha256,
            "vectors": self.source.content_sha256,
            "dim": self.source.dim,
        }
        fingerprint = json.dumps(parts, sort_keys=True)
        return write_vectors(self.work, ingested, self.source, fingerprint, self.options.checkpoint_texts, self.report)

    def write_codes(self, ingested: Ingested, vectors: VectorFile) -> FittedCodes:
        """Writes the codes and the baseline of all rows, and the lists of the distinct texts, as requested."""
        options = self.options
        fitted = write_codes(
            self.work, ingested, vectors, self.workers, baseline=options.baseline, center=options.center,
            report=self.report,
        )  # fmt: skip
        (self.work / LISTS_FILE).unlink(missing_ok=True)
        if num_lists := chosen_lists(options.lists, ingested.distinct_text_count):
            self.report(BuildProgress("writing", message=LISTS_FILE))
            build_lists(self.work / LISTS_FILE, vectors, num_lists, fitted.signs)
        return fitted

    def tune(self, ingested: Ingested, vectors: VectorFile, fitted: FittedCodes) -> Tuning | None:
        """Returns the search settings that are chosen by measurement; None where there are too few texts for it."""
        self.report(BuildProgress("tuning", message="search settings"))
        sweep = TuningSweep(self.work, vectors, fitted.int8, ingested.text_ids, fitted.signs)
        tuning = sweep.run(
            self.options.target_share, lambda done, total: self.report(BuildProgress("tuning", done, total))
        )
        is_centered = fitted.signs.center is not None
        if warning := kept_warning(tuning, vectors.dim, fitted.num_uniform, is_centered=is_centered):
            self._note(f"WARNING: {warning}")
        self._note(str(tuning or "Too few texts to choose search settings: using the defaults."))
        return tuning

    def write_manifest(
        self, ingested: Ingested, fitted: FittedCodes, tuning: Tuning | None, build_seconds: float
    ) -> None:
        """Writes the manifest, once all other files are on the disk."""
        names = [name for name in FILES if (self.work / name).is_file()]
        manifest = Manifest(
            corpus=self._about(),
            row_count=ingested.row_count,
            distinct_text_count=ingested.distinct_text_count,
            group_count=ingested.group_count,
            dropped_rows=ingested.dropped_rows,
            model_id=self.source.model_id or NO_MODEL,
            weights_sha256=self.source.weights_sha256 or NO_MODEL,
            dim=self.source.dim,
            int8=fitted.int8.to_json(),
            search=_default_search() if tuning is None else tuning.to_json(),
            files={name: FileRecord.of(self.work / name) for name in names},
            versions={"python": platform.python_version(), **installed_versions(_PACKAGES)},
            built_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            build_seconds=round(build_seconds, 1),
            columns=dict(self.corpus.columns),
            bits={**fitted.signs.to_json(), "uniform_dimensions": fitted.num_uniform},
            format_version=FORMAT_VERSION if fitted.signs.center is None else CENTERED_FORMAT_VERSION,
            notes=tuple(self._told),
        )
        for name in names:
            sync(self.work / name)
        (self.work / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
        sync(self.work / MANIFEST_FILE)
        sync(self.work)

    def _about(self) -> CorpusInfo:
        about = self.corpus.info
        return replace(
            about,
            title=self.options.title or about.title,
            examples=about.examples or sampled_examples(partial(read_texts, self.work / TEXTS_FILE)),
        )

    def _need(self, num_rows: int, num_texts: int) -> DiskNeed:
        return DiskNeed(num_rows, num_texts, self.source.dim, self.options.baseline, self.options.lists)

    def _check_disk_before(self) -> None:
        num_rows = self.source.num_rows if self.source.num_rows is not None else self.corpus.num_rows
        if num_rows is not None:
            num_rows = min(num_rows, num_rows if self.options.limit is None else self.options.limit)
            check_before_reading(self._need(num_rows, num_rows), self.work, self._note)

    def _tell_notes(self) -> None:
        for message in self.corpus.notes:
            if message not in self._told:
                self._note(message)
                self._told.append(message)

    def _note(self, message: str) -> None:
        self.report(BuildProgress("note", message=message))


def _default_search() -> dict[str, object]:
    settings = SearchSettings()
    return {
        "num_candidates": settings.num_candidates,
        "rescore_multiplier": settings.rescore_multiplier,
        "source": "default",
    }
