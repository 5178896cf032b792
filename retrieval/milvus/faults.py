"""What a failed call means, in our errors: what failed, and what to do next. No token is ever in them."""

from __future__ import annotations

from retrieval.errors import BundleMissingError, EngineError, RetrievalError
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.settings import ConnectionSettings

_NO_COLLECTION = (100,)
_NOT_LOADED = (101, 103, 201, 500, 502, 503, 504)
"""The server is up, but its parts are not, or the collection is not in memory yet."""
_STARTING = (1, 2, 5)
_REFUSED = (1400, 1401)
_MOST_CHARS = 300


class NotLoadedError(EngineError):
    """The collection is not in the memory of the server."""


def our_error(error: BaseException, address: MilvusAddress, settings: ConnectionSettings) -> RetrievalError:
    """Returns the error to raise for one of pymilvus or gRPC."""
    where = f"Milvus at {address.server}"
    status, code, text = _grpc_status(error), getattr(error, "code", None), _shown(error, settings)
    lower = text.lower()
    if status in ("UNAUTHENTICATED", "PERMISSION_DENIED") or code in _REFUSED or "auth check failure" in lower:
        given = "the token in MILVUS_TOKEN" if settings.token else "a call without a token: set MILVUS_TOKEN"
        return EngineError(f"{where} rejects {given}. The token is `user:password`, or an API key.")
    if status == "DEADLINE_EXCEEDED":
        return EngineError(
            f"{where} took longer than {settings.timeout_s:g} s: it is busy, or hangs. MILVUS_TIMEOUT sets the time."
        )
    if status == "UNAVAILABLE" or "fail connecting" in lower or "connection refused" in lower:
        if settings.is_secure:
            return EngineError(
                f"{where} does not answer with TLS, or its certificate is not trusted: start it, or check host, port, "
                f"MILVUS_TLS and MILVUS_CA_FILE."
            )
        return EngineError(f"{where} does not answer: start it, or check host, port and MILVUS_TLS.")
    if code in _NO_COLLECTION:
        return BundleMissingError(
            f"{where} has no collection {address.collection}: load an index with scripts/load_milvus.py, or name "
            f"another collection."
        )
    if code in _NOT_LOADED or "not loaded" in lower or "not fully loaded" in lower:
        return NotLoadedError(f"{where} has not loaded {address.collection} into its memory yet: try again soon.")
    if code in _STARTING and ("starting" in lower or "not ready" in lower or "initializing" in lower):
        return EngineError(f"{where} is starting: try again soon.")
    return EngineError(f"{where} failed: {text}")


def _grpc_status(error: BaseException) -> str:
    """Returns the name of the gRPC status in an error, or in what it came from; empty if there is none."""
    visited: list[BaseException] = []  # pymilvus raises errors from themselves
    here: BaseException | None = error
    while here is not None and here not in visited:
        code = getattr(here, "code", None)
        code = code() if callable(code) else code
        if (name := getattr(code, "name", None)) is not None:
            return str(name)
        visited.append(here)
        here = here.__cause__
    return ""


def _shown(error: BaseException, settings: ConnectionSettings) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split())
    for part in filter(None, [settings.token, *settings.token.split(":")]):
        text = text.replace(part, "***")
    return text[:_MOST_CHARS] or type(error).__name__
