"""Answers travel compressed, and what is named by its content is kept by the browser."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrieval.ui.server.delivery import Delivery

TEXT = "the same words again and again " * 200


@pytest.fixture(scope="module")
def client() -> TestClient:
    def answer(request: object) -> PlainTextResponse:
        return PlainTextResponse(TEXT)

    return TestClient(Starlette(routes=[Route("/{path:path}", answer)], middleware=[Middleware(Delivery)]))


@pytest.mark.parametrize("path", ["/", "/gradio_api/run/predict"])
def test_the_page_and_the_answers_are_compressed(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < len(TEXT) / 10
    assert response.text == TEXT


def test_a_client_that_cannot_decompress_gets_plain_text(client: TestClient) -> None:
    response = client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in response.headers
    assert response.text == TEXT


@pytest.mark.parametrize("path", ["/assets/Index-DAYzeNnX.js", "/assets/core-DonAqEks.css", "/theme.css?v=d3dda04a"])
def test_files_named_by_their_content_are_cached_for_good(client: TestClient, path: str) -> None:
    assert "immutable" in client.get(path).headers["cache-control"]


@pytest.mark.parametrize("path", ["/", "/theme.css", "/assets/plain.js", "/favicon.ico", "/config"])
def test_files_that_may_change_are_revalidated(client: TestClient, path: str) -> None:
    assert "cache-control" not in client.get(path).headers
