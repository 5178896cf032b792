"""Data sets on the hub, through the `datasets` library.

Left alone, its client tries a hub that does not answer for half a minute (several, where a firewall drops packets) and
logs every attempt. So the hub is asked for a sign of life first, once.
"""

from __future__ import annotations

import http.client
import logging
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from retrieval.corpus.readers.base import Reader
from retrieval.corpus.readers.byte_source import byte_source
from retrieval.corpus.readers.parquet import ParquetReader
from retrieval.corpus.readers.saved_dataset import DatasetReader
from retrieval.errors import CorpusError, first_line

_TIMEOUT_SECONDS = 10.0
_SILENT_STATUSES = (502, 503, 504)


def open_hub_dataset(
    repo_id: str, *, otherwise: str, parquet_file: str | None = None, revision: str = "main", split: str | None = None
) -> Reader:
    """Returns the reader of a data set on the hub: of the one file that is named, else of what the repository declares.

    Earlier downloads are taken from the cache, a named file even without a hub. `otherwise` says
    what else the user can do, at the end of the messages.

    Raises:
        CorpusError: if the hub does not answer, or the data set is not there or cannot be loaded.
    """
    import datasets

    endpoint, offline = str(datasets.config.HF_ENDPOINT), bool(datasets.config.HF_HUB_OFFLINE)
    silence = "HF_HUB_OFFLINE is set" if offline else _why_silent(endpoint)
    if silence is not None and parquet_file is not None and (cached := _cached(repo_id, parquet_file, revision)):
        return ParquetReader(byte_source(cached))
    if silence is not None and not offline:
        raise CorpusError(
            f"the hub cannot be reached at {endpoint} ({silence}), so {repo_id} cannot be loaded: {otherwise}."
        )
    # With files, the name of a configuration is not looked up: the branch with the files may declare none.
    files = None if parquet_file is None else {"train": parquet_file}
    try:
        with _quiet(datasets):
            loaded = datasets.load_dataset(repo_id, data_files=files, revision=revision)
    except (datasets.exceptions.DatasetsError, pa.ArrowException, OSError, ValueError, RuntimeError) as error:
        where = "from the cache (HF_HUB_OFFLINE is set)" if offline else f"from the hub at {endpoint}"
        raise CorpusError(f"{repo_id} cannot be loaded {where}: {first_line(error)}. Instead, {otherwise}.") from error
    return DatasetReader(loaded, repo_id, split)


def _why_silent(endpoint: str) -> str | None:
    """Returns why the hub does not answer, None if it does: the client checks whether the answer is the right one."""
    request = urllib.request.Request(endpoint, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"HTTP status {error.code}" if error.code in _SILENT_STATUSES else None
    except urllib.error.URLError as error:
        # The client may trust other certificates than the standard library does: let it try.
        return None if isinstance(error.reason, ssl.SSLError) else str(error.reason)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def _cached(repo_id: str, parquet_file: str, revision: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo_id, parquet_file, revision=revision, repo_type="dataset")
    return Path(found) if isinstance(found, str) else None


@contextmanager
def _quiet(datasets: ModuleType) -> Iterator[None]:
    """Keeps the libraries from logging what our error says once, and from drawing bars outside a terminal."""
    levels = {logger: logger.level for logger in map(logging.getLogger, ("datasets", "huggingface_hub"))}
    hide_bars = not sys.stderr.isatty() and not datasets.are_progress_bars_disabled()
    for logger in levels:
        logger.setLevel(logging.CRITICAL)
    if hide_bars:
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
        if hide_bars:
            datasets.enable_progress_bars()
