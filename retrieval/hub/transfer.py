"""One file of a repository, through the hub's client: resumed where it stopped, never longer than announced.

`hf_hub_download` restarts an interrupted file from its first byte, so the function below it is used, which takes
an offset to continue from. It also has the time limits: the Xet protocol, which would be used above it, has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Self

from retrieval.errors import BundleCorruptError
from retrieval.hub.address import HubAddress

ANSWER_LIMIT_S = 10.0
"""For the headers of the first answer. Each later silence has HF_HUB_DOWNLOAD_TIMEOUT seconds, and five more tries."""
OnBytes = Callable[[int], None]
"""Called with how many bytes of the file are there."""


class Repository:
    """A repository at one commit."""

    def __init__(self, address: HubAddress, commit: str, endpoint: str | None = None) -> None:
        self._address = address
        self._commit = commit
        self._endpoint = endpoint

    def read(self, name: str, longest_bytes: int) -> bytes:
        """Returns a small file.

        Raises:
            BundleCorruptError: if it is longer than `longest_bytes`.
            Exception: what the client raises.
        """
        content = BytesIO()
        self._get(name, content, _meter(name, longest_bytes, lambda done: None))
        return content.getvalue()

    def download(self, name: str, target: Path, size_bytes: int, on_bytes: OnBytes) -> None:
        """Downloads a file of known size to `target`, which may hold the beginning of it.

        Raises:
            BundleCorruptError: if it is longer than that.
            Exception: what the client raises.
        """
        there = target.stat().st_size if target.exists() else 0
        if there > size_bytes:
            target.unlink()
            there = 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as file:
            on_bytes(there)
            self._get(name, file, _meter(name, size_bytes, on_bytes), there=there, size_bytes=size_bytes)

    def _get(
        self, name: str, file: BinaryIO, meter: type[Any], *, there: int = 0, size_bytes: int | None = None
    ) -> None:
        from huggingface_hub.file_download import http_get

        # Public according to the client's documentation, though not its types.
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        url = file_url(self._address, name, self._commit, self._endpoint)
        with _quiet():
            http_get(
                url, file, resume_size=there, headers=build_hf_headers(), expected_size=size_bytes, tqdm_class=meter
            )


def file_url(address: HubAddress, name: str, revision: str, endpoint: str | None) -> str:
    """Returns the address of a file of the repository."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(address.repo_id, name, repo_type="dataset", revision=revision, endpoint=endpoint)


def _meter(name: str, longest_bytes: int, on_bytes: OnBytes) -> type[Any]:
    """Returns a progress bar for the client that stops a file which does not end where it should."""

    class Meter:
        def __init__(self, *, initial: int = 0, **_: Any) -> None:
            self._done = initial

        def update(self, count: int) -> None:
            self._done += count
            if self._done > longest_bytes:
                raise BundleCorruptError(
                    f"{name} of the repository is longer than the expected {longest_bytes:,} bytes: it is "
                    f"altered. Ask its owner to publish the index again."
                )
            on_bytes(self._done)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

    return Meter


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the client from logging every attempt: our error says it once."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
