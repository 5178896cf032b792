"""The address of an index in Milvus: `milvus://host:port/collection`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from retrieval.errors import BundleMissingError

SCHEME = "milvus"
DEFAULT_PORT = 19530
_COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
"""What Milvus accepts as the name of a collection."""
_EXAMPLE = f"{SCHEME}://127.0.0.1:{DEFAULT_PORT}/my_collection"


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A collection on a server. It holds no credentials: those come from the environment."""

    host: str
    port: int
    collection: str

    @classmethod
    def parse(cls, text: str, collection: str | None = None, *, default: str = "") -> Self:
        """Returns the address in a text such as `milvus://host:port/collection`.

        Args:
            text: the address; `http://` and `https://` are taken for `milvus://`.
            collection: replaces the collection in the text.
            default: the collection if neither names one.

        Raises:
            BundleMissingError: if it is not such an address. The text is not repeated: it may contain a password.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError as error:
            raise BundleMissingError(f"this is not an address of Milvus: write it like {_EXAMPLE}.") from error
        if parts.username is not None or parts.password is not None:
            raise BundleMissingError(
                f"the address of Milvus contains a user or a password: write it like {_EXAMPLE}, and put "
                "`user:password` into the environment variable MILVUS_TOKEN."
            )
        name = collection or parts.path.strip("/") or default
        if parts.scheme not in (SCHEME, "http", "https") or not host or parts.query or parts.fragment or not name:
            raise BundleMissingError(f"this is not the address of a collection in Milvus: write it like {_EXAMPLE}.")
        if not _COLLECTION.fullmatch(name):
            raise BundleMissingError(
                f"{name!r} is not the name of a collection: Milvus allows letters, digits and _, but no digit first."
            )
        return cls(host, port, name)

    def __str__(self) -> str:
        return f"{SCHEME}://{self.server}/{self.collection}"

    @property
    def name(self) -> str:
        """Returns what the index is called."""
        return self.collection

    @property
    def server(self) -> str:
        """Returns `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_milvus_address(text: object) -> bool:
    """Returns whether a text is meant to be an address of Milvus."""
    return isinstance(text, str) and text.startswith(f"{SCHEME}://")
