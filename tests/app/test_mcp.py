"""`--mcp`: a real MCP client finds the search, is told what it does, and gets answers."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.page_server import SNIPPET, RunningApp, running_app

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def served(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("served"), "--index", str(tiny_index), "--mcp") as running:
        yield running


def ask(app: RunningApp, question: Callable[[ClientSession], Awaitable[Answer]]) -> Answer:
    """Returns what a client that has said hello is answered."""

    async def talk() -> Answer:
        async with (
            streamable_http_client(f"{app.url}gradio_api/mcp/") as (receive, send, _),
            ClientSession(receive, send) as session,
        ):
            await session.initialize()
            return await question(session)

    return asyncio.run(talk())


def call(app: RunningApp, tool: str, arguments: dict[str, Any]) -> tuple[bool, str]:
    answer = ask(app, lambda session: session.call_tool(tool, arguments))
    return bool(answer.isError), "".join(getattr(part, "text", "") for part in answer.content)


def named(app: RunningApp) -> dict[str, Any]:
    return {tool.name.removeprefix("Api_"): tool for tool in ask(app, lambda session: session.list_tools()).tools}


def test_the_tools_say_what_they_do(served: RunningApp) -> None:
    tools = named(served)
    assert {"search", "indexes"} <= tools.keys()
    assert "by meaning" in tools["search"].description
    properties = tools["search"].inputSchema["properties"]
    assert properties["query"]["type"] == "string"
    assert "in any words" in properties["query"]["description"]


def test_a_client_gets_the_best_document_with_its_code(served: RunningApp) -> None:
    failed, text = call(served, named(served)["search"].name, {"query": "order numbers in a list", "top_k": 2})
    assert not failed, text
    hit = ast.literal_eval(text)["hits"][0]
    assert (hit["text"], hit["body"]) == ("sort a list of numbers", SNIPPET)


def test_a_client_is_told_what_is_wrong_and_can_go_on(served: RunningApp) -> None:
    name = named(served)["search"].name
    failed, text = call(served, name, {"query": "  "})
    assert failed
    assert "empty" in text
    assert not call(served, name, {"query": "read a csv file"})[0]


def test_the_indexes_are_listed(served: RunningApp) -> None:
    failed, text = call(served, named(served)["indexes"].name, {})
    assert not failed, text
    assert "tiny" in text


def test_without_the_flag_there_is_no_such_server(served: RunningApp, tiny_index: Path, tmp_path: Path) -> None:
    with running_app(tmp_path, "--index", str(tiny_index)) as app, pytest.raises(BaseException, match=r"404|unhandled"):
        named(app)
