"""Starts the server of a page, with all middlewares."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from gradio import queueing, route_utils, routes
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library
from retrieval.serving.open_pages import OPEN_PAGES
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.mcp_tools import answer_in_json
from retrieval.ui.request_limits import MAX_BODY_BYTES, UPLOAD_OVERHEAD_BYTES
from retrieval.ui.server.connections import bound_connections
from retrieval.ui.server.delivery import Delivery
from retrieval.ui.server.guard import RequestGuard
from retrieval.ui.server.headers import HostCheck, SecurityHeaders, names_of
from retrieval.ui.server.operation import Operation
from retrieval.ui.server.rates import RateLimit, Rates, rates_from
from retrieval.ui.server.search_route import search_route
from retrieval.ui.server.sessions import MAX_SESSIONS, Heartbeats, let_go_of_left
from retrieval.ui.server.shared_configs import share_configs
from retrieval.ui.theme import launch_options

_LOG = logging.getLogger(__name__)
_MAX_THREADS = 400
"""A call from the page holds one while it waits for its turn: more than may wait in all queues together."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is served, and to whom."""

    host: str
    port: int
    mcp: bool = False
    """Whether to answer MCP clients, too."""
    allowed_hosts: frozenset[str] = frozenset()
    """Further names that the server answers to."""

    @property
    def url(self) -> str:
        """Returns the address for a browser on this machine."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def launch(
    page: gr.Blocks,
    library: Library,
    where: Address,
    *,
    background: BackgroundIndex | None = None,
    shared_at: Callable[[], str | None] = lambda: None,
) -> None:
    """Starts the server in a thread, and returns when it answers.

    Args:
        page: as `build_page` made it from `library`.
        library: what `/api/search` searches, and whose health `/health` reports.
        where: the address.
        background: the index that is being prepared.
        shared_at: returns the host name of the public link, once there is one.

    Raises:
        OSError: if the address cannot be used.
        BuildError: if a limit in the environment is not a number.
    """
    is_ours = names_of(where.host, where.allowed_hosts, shared_at)
    limits = OwnLimits.from_environment(os.environ)
    # The server would trust any program on this machine, even a public link's tunnel, about the sender of a request.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "")
    _log_failed_calls()
    before_all = middlewares(library, limits, background=background, is_ours=is_ours, rates=rates_from(os.environ))
    page.launch(
        server_name=where.host,
        server_port=where.port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        mcp_server=where.mcp,
        state_session_capacity=MAX_SESSIONS,
        max_threads=_MAX_THREADS,
        app_kwargs={"middleware": before_all, "routes": [search_route(library)]},
        **launch_options(),
    )
    if where.mcp:
        answer_in_json(page)
    share_configs(page)
    bound_connections(page.server)
    OPEN_PAGES.sweep_with(partial(let_go_of_left, page.state_holder, OPEN_PAGES))


def _log_failed_calls() -> None:
    """Makes Gradio write calls that fail inside it, such as those with too few values, to the server's log.

    Gradio writes the whole traceback to standard error, whose last line may quote a query or a document.
    """

    def log(*_: object, **__: object) -> None:
        _LOG.warning("a call failed", exc_info=True)

    ours = SimpleNamespace(**{**vars(traceback), "print_exc": log})
    for module in (routes, queueing, route_utils):
        module.traceback = ours


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
