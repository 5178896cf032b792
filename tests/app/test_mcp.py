"""`--mcp`: a real MCP client finds the search, is told what it does, and gets answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.page_server import SNIPPET, RunningApp

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
Answer = TypeVar("Answer")


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


def test_the_tools_say_what_they_do(mcp_app: RunningApp) -> None:
    tools = named(mcp_app)
    assert {"search", "indexes"} <= tools.keys()
    assert "by meaning" in tools["search"].description
    properties = tools["search"].inputSchema["properties"]
    assert properties["query"]["type"] == "string"
    assert "in any words" in properties["query"]["description"]


def test_a_client_gets_the_best_document_with_its_code(mcp_app: RunningApp) -> None:
    failed, text = call(mcp_app, named(mcp_app)["search"].name, {"query": "order numbers in a list", "top_k": 2})
    assert not failed, text
    hit = json.loads(text)["hits"][0]
    assert (hit["text"], hit["body"]) == ("sort a list of numbers", SNIPPET)


def strict_json(text: str) -> Any:
    """Returns the values of JSON as browsers read it, which know no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("search", {"query": "order numbers", "top_k": 2}), ("compare", {"query": "order numbers"}), ("indexes", {})],
)
def test_answers_are_json_as_text_and_as_structure_that_fits_the_schema(
    mcp_app: RunningApp, tool: str, arguments: dict[str, Any]
) -> None:
    described = named(mcp_app)[tool]
    answer = ask(mcp_app, lambda session: session.call_tool(described.name, arguments))
    assert not answer.isError
    [content] = answer.content
    values = strict_json(getattr(content, "text", ""))
    assert answer.structuredContent == (values if isinstance(values, dict) else {"result": values})
    jsonschema.validate(answer.structuredContent, described.outputSchema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, described.outputSchema)


def test_a_quality_that_is_not_a_number_is_null(mcp_app: RunningApp) -> None:
    name = named(mcp_app)["search"].name
    text = call(mcp_app, name, {"query": "read a csv file into a table", "top_k": 50.0})[1]
    hits = {hit["text"]: hit["quality"] for hit in strict_json(text)["hits"]}
    assert hits["read a csv file into a table"] is None
    assert hits["sort a list of numbers"] == 0.9


def test_a_client_is_told_what_is_wrong_and_can_continue(mcp_app: RunningApp) -> None:
    name = named(mcp_app)["search"].name
    failed, text = call(mcp_app, name, {"query": "  "})
    assert failed
    assert "empty" in text
    assert not call(mcp_app, name, {"query": "read a csv file"})[0]


def test_the_indexes_are_listed(mcp_app: RunningApp) -> None:
    failed, text = call(mcp_app, named(mcp_app)["indexes"].name, {})
    assert not failed, text
    assert "tiny" in text


def test_without_the_flag_there_is_no_such_server(served: RunningApp) -> None:
    with pytest.raises(BaseException, match=r"404|unhandled"):
        named(served)
