"""What machine and which packages a figure was taken with."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence

from retrieval.benchmark.machine import about_machine

__all__ = ["about_machine", "package_versions"]

_PACKAGES = ("faiss-cpu", "usearch", "numkong", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Returns the versions of those packages that are installed, and Python's."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
