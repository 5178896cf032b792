"""How to reach Milvus, from the environment: credentials, TLS and timeouts. None of it is ever shown."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from retrieval.errors import RetrievalError

DEFAULT_TIMEOUT_S = 10.0
_YES = ("1", "true", "yes", "on")
_NO = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a connection needs in addition to the address."""

    token: str = field(default="", repr=False)
    """`user:password`, or an API key."""
    is_secure: bool = False
    ca_file: str = ""
    """A PEM file with the certificate authorities to trust; empty for those of the system."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    """A call without an answer for this long has failed."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Returns the settings in MILVUS_TOKEN, MILVUS_TLS, MILVUS_CA_FILE and MILVUS_TIMEOUT.

        Raises:
            RetrievalError: if one cannot be used.
        """
        ca_file = environment.get("MILVUS_CA_FILE", "").strip()
        tls = environment.get("MILVUS_TLS", "").strip().lower()
        if tls not in (*_YES, *_NO):
            raise RetrievalError("MILVUS_TLS is neither 1 nor 0: set it to 1 for an encrypted connection.")
        if ca_file:
            _check_certificates(ca_file)
        timeout = environment.get("MILVUS_TIMEOUT", "").strip() or str(DEFAULT_TIMEOUT_S)
        try:
            seconds = float(timeout)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise RetrievalError("MILVUS_TIMEOUT is not a number of seconds above 0.")
        return cls(environment.get("MILVUS_TOKEN", "").strip(), tls in _YES or bool(ca_file), ca_file, seconds)

    def for_client(self) -> dict[str, Any]:
        """Returns the arguments of pymilvus's client."""
        arguments: dict[str, Any] = {"token": self.token, "secure": self.is_secure}
        return {**arguments, "server_pem_path": self.ca_file} if self.ca_file else arguments


def _check_certificates(file: str) -> None:
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        raise RetrievalError(
            f"MILVUS_CA_FILE is not a file of certificates that can be read ({error.strerror}): name a PEM file."
        ) from error
