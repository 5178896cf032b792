"""`/health` and `/metrics`, on the server of the page; and the count of all requests."""

from __future__ import annotations

import logging
import time

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieval.serving import metrics
from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.health import health
from retrieval.serving.library import Library
from retrieval.serving.turns import HEAVY, SEARCHES

_LOG = logging.getLogger(__name__)
_SLOW_S = 2.0
_LONG_LIVED = ("/heartbeat/", "/queue/data", "/dev/reload", "/mcp")
"""These last as long as a page is open: their duration means nothing."""


class Operation:
    """Answers operators, and counts everybody's requests. Failed and slow requests are logged by route."""

    def __init__(self, app: ASGIApp, *, library: Library, background: BackgroundIndex | None = None) -> None:
        """Takes the application for all other requests, and the library whose health is reported."""
        self._app = app
        self._library = library
        self._background = background
        metrics.watch_index(lambda: len(library.open()))
        metrics.watch_waiting("searches", lambda: SEARCHES.waiting)
        metrics.watch_waiting("heavy", lambda: HEAVY.waiting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/health":
            is_well, known = await run_in_threadpool(health, self._library, self._background)
            await JSONResponse(known, 200 if is_well else 503)(scope, receive, send)
        elif scope["path"] == "/metrics":
            body = await run_in_threadpool(metrics.exposition)
            await Response(body, media_type=metrics.CONTENT_TYPE)(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500
        started = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with metrics.REQUESTS_RUNNING.track_inprogress():
            try:
                await self._app(scope, receive, noting)
            finally:
                self._note(_route(scope, status), status, time.perf_counter() - started)

    def _note(self, route: str, status: int, elapsed_s: float) -> None:
        metrics.REQUESTS.labels(route, str(status)).inc()
        is_short_lived = not any(part in route for part in _LONG_LIVED)
        if is_short_lived:
            metrics.REQUEST_SECONDS.labels(route).observe(elapsed_s)
        if status >= 500 or (is_short_lived and elapsed_s > _SLOW_S):
            _LOG.warning("request", extra={"fields": {"route": route, "status": status, "seconds": elapsed_s}})


def _route(scope: Scope, status: int) -> str:
    """Returns the route that answered, not the path: paths are untrusted text, and there is no limit to them."""
    route = str(getattr(scope.get("route"), "path", "other"))
    name = scope.get("path_params", {}).get("api_name")
    is_known = status < 400  # an endpoint that answers exists
    return route.replace("{api_name}", str(name)) if name and is_known else route
