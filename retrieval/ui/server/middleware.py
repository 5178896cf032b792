"""The middlewares of the server: every request passes them in this order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library
from retrieval.serving.open_pages import OPEN_PAGES
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.request_limits import MAX_BODY_BYTES, UPLOAD_OVERHEAD_BYTES
from retrieval.ui.server.delivery import Delivery
from retrieval.ui.server.guard import RequestGuard
from retrieval.ui.server.headers import HostCheck, SecurityHeaders
from retrieval.ui.server.operation import Operation
from retrieval.ui.server.rates import RateLimit, Rates
from retrieval.ui.server.sessions import Heartbeats


def middlewares(
    library: Library,
    limits: OwnLimits,
    *,
    background: BackgroundIndex | None = None,
    is_ours: Callable[[str], bool] = lambda name: True,
    rates: Rates | None = None,
) -> list[Middleware]:
    """Returns the middlewares, the outermost first; for `app_kwargs` of `launch`.

    Args:
        library: whose health `/health` reports.
        limits: how large an upload may be.
        background: the index that is being prepared.
        is_ours: recognizes the names that the server answers to; by default it answers to all.
        rates: how much one visitor may ask; by default, without limit.
    """
    guard = Middleware(
        RequestGuard,
        max_body_bytes=MAX_BODY_BYTES,
        max_upload_bytes=limits.max_upload_bytes + UPLOAD_OVERHEAD_BYTES,
        uploads=Path(get_upload_folder()),
        max_uploads_bytes=limits.max_total_bytes,
    )
    return [
        Middleware(SecurityHeaders),
        Middleware(Delivery),
        Middleware(HostCheck, is_ours=is_ours),
        Middleware(Operation, library=library, background=background),
        Middleware(RateLimit, rates=rates),
        Middleware(Heartbeats, pages=OPEN_PAGES),
        guard,
    ]
