"""Which versions of packages made an index, or a figure."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence


def installed_versions(packages: Sequence[str]) -> dict[str, str]:
    """Returns the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
