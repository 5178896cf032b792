"""The endpoints as MCP tools whose answers are JSON: as text, and as structured content with a schema.

Gradio sends the `repr` of what a function returns, and no schema. Its handlers for listing and calling tools are
wrapped once the page is launched.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

_WHOLE, _NUMBER, _TEXT, _TRUTH = ({"type": each} for each in ("integer", "number", "string", "boolean"))
_MAYBE_TEXT, _MAYBE_NUMBER = ({"type": [each, "null"]} for each in ("string", "number"))


def _object(**properties: Any) -> dict[str, Any]:
    """Returns the schema of an object that has these properties, and may have more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_HIT = _object(
    rank=_WHOLE,
    row=_WHOLE,
    score=_NUMBER,
    is_estimate=_TRUTH,
    text=_TEXT,
    body=_MAYBE_TEXT,
    url=_MAYBE_TEXT,
    group=_MAYBE_TEXT,
    quality=_MAYBE_NUMBER,
    hamming_distance=_WHOLE,
    binary_rank=_WHOLE,
    member_rows=_list_of(_WHOLE),
)
OUTPUT_SCHEMAS = {
    "search": _object(
        query=_TEXT,
        hits=_list_of(_HIT),
        latency=_object(total_ms=_NUMBER, stages={"type": "object", "additionalProperties": _NUMBER}),
        settings={"type": "object"},
        num_documents=_WHOLE,
        num_candidates=_WHOLE,
        int8_rows_read=_WHOLE,
        notes=_list_of(_TEXT),
    ),
    "compare": _object(
        methods=_list_of(_object(key=_TEXT, hits=_list_of({"type": "object"}))),
        num_wanted=_WHOLE,
        notes=_list_of(_TEXT),
    ),
    "indexes": _object(result=_list_of(_object(name=_TEXT, title=_TEXT, documents=_WHOLE))),
}
"""By endpoint. Structured content is an object: a list stands under `result`, as in the protocol's own server."""


def answer_in_json(page: gr.Blocks) -> None:
    """Makes the tools of a page that was launched with `mcp_server=True` answer JSON, and describe it."""
    from mcp import types

    gradio_server: Any = page.mcp_server_obj
    handlers = gradio_server.mcp_server.request_handlers
    list_tools, call_tool = handlers[types.ListToolsRequest], handlers[types.CallToolRequest]

    def as_json_text(data: list[Any], root_url: str) -> list[types.TextContent]:
        return [types.TextContent(type="text", text=json.dumps(each, ensure_ascii=False)) for each in data]

    async def list_with_schemas(request: types.ListToolsRequest) -> types.ServerResult:
        answer = await list_tools(request)
        for tool in answer.root.tools:
            tool.outputSchema = _schema_of(tool.name)
        return answer  # type: ignore[no-any-return]

    async def call_with_structure(request: types.CallToolRequest) -> types.ServerResult:
        answer = await call_tool(request)
        result = answer.root
        if not result.isError and _schema_of(request.params.name) is not None:
            values = json.loads(result.content[0].text)
            result.structuredContent = values if isinstance(values, dict) else {"result": values}
        return answer  # type: ignore[no-any-return]

    gradio_server.postprocess_output_data = as_json_text
    handlers[types.ListToolsRequest] = list_with_schemas
    handlers[types.CallToolRequest] = call_with_structure


def _schema_of(tool: str) -> dict[str, Any] | None:
    """Returns the schema of a tool, whose name ends in that of its endpoint."""
    return next((schema for name, schema in OUTPUT_SCHEMAS.items() if tool == name or tool.endswith(f"_{name}")), None)
