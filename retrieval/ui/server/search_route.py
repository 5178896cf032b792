"""`GET /api/search`: search for programs as plain JSON, next to Gradio's endpoints and on the same port."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from retrieval.errors import BundleMissingError, BusyError, QueryError, RetrievalError, brief
from retrieval.results import SCANS, SearchSettings
from retrieval.serving.library import Library
from retrieval.serving.turns import SEARCHES, Turns
from retrieval.ui.markup import error_words
from retrieval.ui.request_limits import MAX_CANDIDATES, MAX_MULTIPLIER, MAX_QUERY_CHARS, MAX_TOP_K
from retrieval.ui.searching import search_values

PATH = "/api/search"
RETRY_AFTER_S = 2
_KNOBS = tuple(field.name for field in dataclasses.fields(SearchSettings))
_NAMES = ("q", "index", *_KNOBS)
_SWITCHES = {"true": True, "false": False}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "q": {"type": "string", "maxLength": MAX_QUERY_CHARS},
    "top_k": {"type": "integer", "minimum": 1, "maximum": MAX_TOP_K, "default": SearchSettings().top_k},
    "num_candidates": {"type": "integer", "minimum": 1, "maximum": MAX_CANDIDATES},
    "rescore_multiplier": {"type": "integer", "minimum": 1, "maximum": MAX_MULTIPLIER},
    "asymmetric": {"type": "boolean", "default": True},
    "rescore": {"type": "boolean", "default": True},
    "scan": {"type": "string", "enum": list(SCANS), "default": SearchSettings().scan},
    "probes": {"type": "integer", "minimum": 1},
    "index": {"type": "string"},
}
_STATUS_BY_ERROR = {QueryError: 400, BundleMissingError: 404, RetrievalError: 503}
"""The first match counts; the last one means an index out of service, or an overloaded server."""
_LOG = logging.getLogger(__name__)


def search_route(library: Library, turns: Turns = SEARCHES) -> APIRoute:
    """Returns the route, for `app_kwargs` of `launch`: it searches the indexes of `library`, in turn with others."""

    async def search(request: Request) -> Response:
        """Search a collection of documents by meaning; the answer is that of the endpoint `/search`."""
        try:
            query, given, index = _read(request.query_params)
            return JSONResponse(await search_values(library, query, given, index, turns))
        except RetrievalError as error:
            status = next(status for kind, status in _STATUS_BY_ERROR.items() if isinstance(error, kind))
            headers = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, BusyError) else None
            return JSONResponse({"error": error_words(error)}, status, headers)
        except Exception:  # noqa: BLE001 - the border to a program: whatever it is, it is told in a sentence
            _LOG.exception("a call of %s failed", PATH)
            return JSONResponse({"error": "The search failed on the server."}, 500)

    parameters = [
        {"name": name, "in": "query", "required": name == "q", "schema": _SCHEMAS.get(name, {"type": "string"})}
        for name in _NAMES
    ]
    told = {
        400: "The query or a setting cannot be used",
        404: "There is no such index",
        503: "Too many searches are waiting (with Retry-After), or the index is out of service",
    }
    return APIRoute(
        PATH,
        search,
        methods=["GET"],
        summary="Search",
        response_model=None,
        responses={status: {"description": text} for status, text in told.items()},
        openapi_extra={"parameters": parameters},
    )


def _read(parameters: Mapping[str, str]) -> tuple[str, dict[str, Any], str | None]:
    """Returns the query, the given settings, and the name of the index.

    Raises:
        QueryError: if the query is missing, or a parameter has an unknown name.
    """
    if unknown := sorted(parameters.keys() - set(_NAMES)):
        raise QueryError(f"{brief(unknown[0])} is not a parameter of {PATH}; the parameters are {', '.join(_NAMES)}.")
    if "q" not in parameters:
        raise QueryError(f"the query is missing: ask {PATH}?q=... with a few words.")
    given = {name: _value(parameters[name]) for name in _KNOBS if name in parameters}
    return parameters["q"], given, parameters.get("index")


def _value(text: str) -> int | bool | str:
    """Returns the value of a setting in an address; invalid values are reported where settings are checked."""
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    return _SWITCHES.get(text.lower(), text)
