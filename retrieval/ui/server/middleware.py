"""The middlewares of the server: every request passes them in this order."""

from __future__ import annotations

from collections.abc import Callable

from starlette.middleware import Middleware

from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library
from retrieval.ui.server.headers import HostCheck, SecurityHeaders
from retrieval.ui.server.operation import Operation


def middlewares(
    library: Library, background: BackgroundIndex | None = None, is_ours: Callable[[str], bool] = lambda name: True
) -> list[Middleware]:
    """Returns the middlewares, the outermost first; for `app_kwargs` of `launch`."""
    return [
        Middleware(SecurityHeaders),
        Middleware(HostCheck, is_ours=is_ours),
        Middleware(Operation, library=library, background=background),
    ]
