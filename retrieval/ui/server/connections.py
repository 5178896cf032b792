"""How many connections the server holds, and how long one may take to send a request."""

from __future__ import annotations

import asyncio
import resource

from uvicorn import Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from retrieval.serving.logs import take_over_logs

MAX_CONNECTIONS = 1_000
"""An open page holds one or two."""
REQUEST_S = 15.0
"""From a connection, or the first byte of a further request, to the end of the request's headers."""
REQUESTS_END_S = 2
"""When the server is stopped, running requests are given up after this long."""
_HANDLES_ELSEWHERE = 256
"""Handles that files, libraries and child processes need in addition to the connections."""
_MOST_HANDLES = 65_536


def raise_handle_limit() -> int:
    """Raises the limit of open handles as far as the system allows, and returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_HANDLES if hard == resource.RLIM_INFINITY else min(hard, _MOST_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else wanted


def bound_connections(server: Server, max_connections: int | None = None, request_s: float = REQUEST_S) -> None:
    """Makes a running server hold at most this many connections, and close those that do not ask for anything.

    If there are too many, the one that has waited longest without a request makes room for a new one.
    """
    if max_connections is None:
        max_connections = max(8, min(MAX_CONNECTIONS, raise_handle_limit() - _HANDLES_ELSEWHERE))
    bounds = {"max_connections": max_connections, "request_s": request_s}
    config = server.config
    config.http_protocol_class = type("Connection", (_Connection,), bounds)
    config.limit_concurrency = max_connections + 1  # uvicorn refuses requests from this number on
    config.timeout_graceful_shutdown = REQUESTS_END_S
    take_over_logs("uvicorn", "uvicorn.error", "uvicorn.access")


class _Connection(H11Protocol):
    max_connections: int
    request_s: float
    _deadline: asyncio.TimerHandle | None = None
    _waits_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if (excess := len(self.connections) - self.max_connections) > 0:
            # Connections from before the limit was set do not know it, and go first.
            waiting = [each for each in self.connections if isinstance(each, H11Protocol) and not _is_answering(each)]
            for each in sorted(waiting, key=lambda each: getattr(each, "_waits_since", 0.0))[:excess]:
                _close(each)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if _is_answering(self):
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waits_since = self.loop.time()
        self._deadline = self.loop.call_later(self.request_s, _close, self)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _is_answering(connection: H11Protocol) -> bool:
    """Tells whether a request is still unanswered."""
    return connection.cycle is not None and not connection.cycle.response_complete


def _close(connection: H11Protocol) -> None:
    connection.transport.abort()
    connection.connections.discard(connection)
