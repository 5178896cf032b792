"""Connections are bounded in number and in the time that they may say nothing, and what is answered is not cut off."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config, Server

from retrieval.ui.server.connections import bound_connections, raise_handle_limit
from tests.page_server import free_port
from tests.support import PATIENCE_S, wait_until


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.contextmanager
def serving(request_s: float) -> Iterator[int]:
    """Yields the port of a server that holds four connections, so long without a request."""
    port = free_port()
    server = Server(Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    bound_connections(server, max_connections=4, request_s=request_s)
    yield port
    server.should_exit = True
    thread.join(PATIENCE_S)


@pytest.fixture
def port() -> Iterator[int]:
    with serving(request_s=0.5) as port:
        yield port


def connected(port: int, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.sendall(sent)
    return connection


def get(port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path)
    try:
        return connection.getresponse().read()
    finally:
        connection.close()


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_asks_nothing_is_closed(port: int, sent: bytes) -> None:
    started = time.monotonic()
    with connected(port, sent) as connection:
        assert is_closed(connection)
    assert time.monotonic() - started > 0.3


def test_a_further_request_must_come_whole_too(port: int) -> None:
    with connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        assert b"200" in connection.recv(4096)
        connection.sendall(b"GET / HT")
        while not is_closed(connection):
            pass


def test_an_answer_that_takes_longer_is_not_cut_off(port: int) -> None:
    assert get(port, "/slow") == b"ok"


def test_the_one_that_waits_longest_makes_room() -> None:
    with serving(request_s=10 * PATIENCE_S) as port, contextlib.ExitStack() as stack:
        held = [stack.enter_context(connected(port, b"GET / HT")) for _ in range(3)]
        time.sleep(0.1)
        assert get(port) == b"ok"
        held += [stack.enter_context(connected(port, b"GET / HT")) for _ in range(2)]
        assert is_closed(held[0])


def test_the_handle_limit_is_raised_to_what_the_system_lets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        most = raise_handle_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == most
        assert most == min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
