"""What was measured on an index, saved in its folder, and shown only with that index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval.benchmark.figures.reading import read_object, value_at
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.files import write_json
from retrieval.bundle.manifest import BENCHMARK_FILE, BINARY_FILE


def kept_figures(bundle: Bundle) -> dict[str, Any] | None:
    """Returns the figures that `scripts/benchmark.py` kept in this index's folder, or None.

    None, too, when the file cannot be read, or was measured on another index: a rebuilt one has other codes.
    """
    figures = read_object(bundle.file(BENCHMARK_FILE))
    measured_on = value_at(figures, "index", "binary_sha256")
    return figures if measured_on == bundle.manifest.files[BINARY_FILE].sha256 else None


def keep_figures(bundle: Bundle, figures: Mapping[str, Any]) -> None:
    """Writes the figures into the index's folder.

    Raises:
        OSError: if the folder cannot be written.
    """
    write_json(bundle.file(BENCHMARK_FILE), figures)
