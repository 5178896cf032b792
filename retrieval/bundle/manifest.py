"""The manifest of a built index: what it is made of, and the size and SHA-256 of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from retrieval.bundle.kept_warning import kept_warning
from retrieval.bundle.manifest_values import check_seal, check_values, sealed
from retrieval.bundle.tuning import MEASURED, Tuning
from retrieval.corpus.base import CorpusInfo
from retrieval.encoding.model_cache import sha256_of
from retrieval.errors import BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.quantization import Int8Quantizer, SignQuantizer
from retrieval.results import SearchSettings

FORMAT_VERSION = 1
CENTERED_FORMAT_VERSION = 1.1
"""For an index whose bits are taken around a mean: an older program would search it wrongly."""
BINARY_FILE = "binary.faiss"
INT8_FILE = "int8.usearch"
EMBEDDINGS_FILE = "embeddings.npy"
LISTS_FILE = "lists.faiss"
DOCUMENTS_FILE = "documents/documents.arrow"
MANIFEST_FILE = "manifest.json"
BENCHMARK_FILE = "benchmark.json"
"""What was measured on this index. Not part of it: the manifest does not list it, and it may be absent."""
REQUIRED_FILES = (BINARY_FILE, INT8_FILE, DOCUMENTS_FILE)
FILES = (*REQUIRED_FILES, EMBEDDINGS_FILE, LISTS_FILE)
NO_MODEL = "none"
"""Stands for the model and its hash in the manifest of an index whose vectors were given without one."""
_LONGEST_MANIFEST_BYTES = 16_000_000
"""A manifest takes about 20 KB: a far larger file is something else, and is not read into RAM."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Size and checksum of one file of the bundle."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Returns the record of a file as it is now."""
        return cls(size_bytes=path.stat().st_size, sha256=sha256_of(path))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index is made of. Written last, so that a folder with a manifest is whole."""

    corpus: CorpusInfo
    row_count: int
    distinct_text_count: int
    group_count: int | None
    """Number of groups; None when the corpus has none."""
    dropped_rows: int
    """Rows whose text was null or blank."""
    model_id: str
    """`NO_MODEL` when the vectors were given, without the model that made them."""
    weights_sha256: str
    dim: int
    int8: Mapping[str, Any]
    """Parameters of the int8 codes, as `Int8Quantizer.to_json` gives them."""
    search: Mapping[str, Any]
    """Default `num_candidates` and `rescore_multiplier`, their `source`, and what `Tuning` has when it is measured."""
    files: Mapping[str, FileRecord]
    versions: Mapping[str, str]
    built_at: str
    """UTC, ISO 8601."""
    build_seconds: float
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column of the source became the text, the body, ..."""
    bits: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the sign bits, as `SignQuantizer.to_json` gives them, and `uniform_dimensions`: how many have the
    same bit for nearly all texts. Empty in an index of an earlier release."""
    notes: Sequence[str] = ()
    """What the build noted about the source: how it was read, why a column was taken as what, values that are odd."""
    format_version: float = FORMAT_VERSION

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Returns the manifest of the index in a folder.

        Raises:
            BundleMissingError: if there is none.
            BundleCorruptError: if it cannot be read.
            BundleIncompatibleError: if it is of another format version.
        """
        path = folder / MANIFEST_FILE
        try:
            if (size := path.stat().st_size) > _LONGEST_MANIFEST_BYTES:
                raise ValueError(f"it has {size:,} bytes, at most {_LONGEST_MANIFEST_BYTES:,} are expected")
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise BundleMissingError(
                f"{folder} has no {path.name}, so it is not a finished index: "
                f"build one with scripts/build_index.py --output, or copy the whole folder."
            ) from error
        except KeyError as error:
            raise BundleCorruptError(f"cannot read {path}: it lacks {error}. Build the index again.") from error
        except (ValueError, TypeError, AttributeError, RecursionError, OSError) as error:
            raise BundleCorruptError(f"cannot read {path}: {error}. Build the index again.") from error

    @property
    def quantizer(self) -> Int8Quantizer:
        """Returns the int8 quantizer that was fitted on the corpus."""
        return Int8Quantizer.from_json(self.int8)

    @property
    def signs(self) -> SignQuantizer:
        """Returns the quantizer that made the sign bits, and makes those of a query."""
        return SignQuantizer.from_json(self.bits, self.dim)

    @property
    def warning(self) -> str | None:
        """Returns a warning for this index's users if its bits lose a lot."""
        num_uniform = int(self.bits.get("uniform_dimensions", 0))
        return kept_warning(self.tuning, self.dim, num_uniform, is_centered=self.signs.center is not None)

    @property
    def tuning(self) -> Tuning | None:
        """Returns what the search settings were chosen from, or None when they were not measured on this corpus."""
        return Tuning.from_json(self.search) if self.search.get("source") == MEASURED else None

    @property
    def defaults(self) -> SearchSettings:
        """Returns the settings of a search that this index recommends."""
        tuning = self.tuning
        return SearchSettings(
            num_candidates=int(self.search["num_candidates"]),
            rescore_multiplier=int(self.search["rescore_multiplier"]),
            probes=None if tuning is None else tuning.probes,
        )

    @property
    def has_baseline(self) -> bool:
        """Returns whether the float32 embeddings are part of the bundle."""
        return EMBEDDINGS_FILE in self.files

    @property
    def has_lists(self) -> bool:
        """Returns whether the sign bits are there in lists, too, for the scan `lists`."""
        return LISTS_FILE in self.files

    @property
    def has_model(self) -> bool:
        """Returns whether queries can be encoded: an index of given vectors may have no model."""
        return self.weights_sha256 != NO_MODEL

    def to_json(self) -> str:
        """Returns the manifest as JSON text, with a checksum over its values."""
        # ASCII: a path with bytes that are not UTF-8 must not end a build at its last line.
        return json.dumps(sealed(asdict(self)), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Returns the manifest in `text`.

        Raises:
            ValueError, KeyError, TypeError, AttributeError, RecursionError: if it is not JSON, or not of this shape.
            BundleIncompatibleError: if it is of another format version.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("the manifest is not a JSON object")
        if values.get("format_version") not in (FORMAT_VERSION, CENTERED_FORMAT_VERSION):
            raise BundleIncompatibleError(
                f"the index has format version {values.get('format_version')!r}, this program reads "
                f"{FORMAT_VERSION}: build the index again, or use the release that built it."
            )
        known = {item.name for item in fields(cls)}
        # What indexes of release 0.1 do not have.
        if missing := known - values.keys() - {"bits", "notes"}:
            raise ValueError(f"the manifest lacks {', '.join(sorted(missing))}")
        check_seal(values, known)
        check_values(values)
        corpus = dict(values["corpus"])
        corpus["examples"] = tuple(corpus.get("examples", ()))
        files = {name: FileRecord(**record) for name, record in values["files"].items()}
        kept = {name: value for name, value in values.items() if name in known}
        kept["notes"] = tuple(map(str, values.get("notes", ())))
        manifest = cls(**{**kept, "corpus": CorpusInfo(**corpus), "files": files})
        manifest._check_values()
        return manifest

    def _check_values(self) -> None:
        if self.quantizer.dim != self.dim:
            raise ValueError(f"the int8 parameters are for {self.quantizer.dim} dimensions, dim is {self.dim}")
        _ = self.tuning
        if (self.signs.center is None) is not (self.format_version == FORMAT_VERSION):
            raise ValueError(f"format version {self.format_version} does not fit the mean of the bits")
        uniform = self.bits.get("uniform_dimensions", 0)
        if type(uniform) is not int or not 0 <= uniform <= self.dim:
            raise ValueError(f"uniform_dimensions is {uniform!r}, a whole number from 0 to {self.dim} is needed")
        # The names come from an untrusted file: they must not lead out of the folder.
        if unknown := sorted(self.files.keys() - set(FILES)):
            raise ValueError(f"it lists {unknown[0]!r}, which is not a file of an index")
        if lacking := [name for name in REQUIRED_FILES if name not in self.files]:
            raise ValueError(f"it does not list {lacking[0]}")
