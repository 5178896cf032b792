"""How answers are delivered: compressed, and cached by the browser if their address changes with their content.

Gradio compresses files by their suffix; the page itself and the answers to events have none.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST_BYTES = 1_000
"""Anything smaller fits into one packet anyway."""
_LEVEL = 5
"""Of zlib. Level 9 takes three times as long for 2 % less."""
_NAMED_BY_CONTENT = re.compile(r"/assets/[^/]+-[\w-]{8,}\.(?:js|css|woff2)$")
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class Delivery:
    """Compresses what Gradio does not, and lets browsers cache the files that are named by a hash of their content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=_LEAST_BYTES, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _never_changes(scope):
            await self._app(scope, receive, _kept(send))
        elif "." in scope["path"]:
            await self._app(scope, receive, send)
        else:
            await self._compressing(scope, receive, send)


def _never_changes(scope: Scope) -> bool:
    path: str = scope["path"]
    is_theme = path.endswith("/theme.css") and scope["query_string"].startswith(b"v=")
    return is_theme or _NAMED_BY_CONTENT.search(path) is not None


def _kept(send: Send) -> Send:
    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(raw=message["headers"])["Cache-Control"] = _FOR_A_YEAR
        await send(message)

    return send_with_header
