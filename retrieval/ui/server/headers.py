"""The headers that tell browsers what the page may do, and the names that the server answers to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FRAMES = "'self' https://huggingface.co https://*.hf.space"
"""A Space is shown in a frame of huggingface.co."""
_POLICY = {
    "default-src": "'self'",
    # Gradio configures the page with inline scripts, and compiles the handlers that run in the browser. In a
    # frame of Spaces it loads the script that tells the frame its height.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' https://cdnjs.cloudflare.com",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": _FRAMES,
}
_HEADERS = {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # the address of the page holds the query
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Adds the headers to every answer that does not have them."""

    def __init__(self, app: ASGIApp) -> None:
        """Takes the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)


class HostCheck:
    """Refuses requests for names that are not this server's.

    Another site can make its name point to this machine (DNS rebinding), and would then read what is served here
    through its visitor's browser. Such a request still has that site's name in its `Host`.
    """

    def __init__(self, app: ASGIApp, *, is_ours: Callable[[str], bool]) -> None:
        """Takes the application, and the function that recognizes this server's names."""
        self._app = app
        self._is_ours = is_ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] not in ("http", "websocket") or self._is_ours(_name(Headers(scope=scope).get("host", ""))):
            await self._app(scope, receive, send)
            return
        told = "This server does not answer to that name. Its operator can add names with ALLOWED_HOSTS."
        await JSONResponse({"error": told}, 421)(scope, receive, send)


def names_of(host: str, allowed: Collection[str], shared_at: Callable[[], str | None]) -> Callable[[str], bool]:
    """Returns a function that tells whether a name is this server's.

    Args:
        host: the address it listens on. A server that listens beyond this machine is reached by many names: then all
            are answered, unless some are `allowed`.
        allowed: further names; `*` stands for all.
        shared_at: returns the host name of the public link, once there is one.
    """
    is_local = host == "localhost" or is_loopback(host)
    if "*" in allowed or (not is_local and not allowed):
        return lambda name: True
    named = {host.lower().strip("[]"), *(name.lower() for name in allowed)}
    return lambda name: name == "localhost" or is_loopback(name) or name in named or name == shared_at()


def is_loopback(name: str) -> bool:
    """Returns whether this is an address of the machine itself; names such as `localhost` are none."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Returns the name in a `Host` header, without port and brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
