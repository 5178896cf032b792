"""Serve the search page.

    python app.py                                   the index that is there, or a small default built on the spot
    python app.py --index assets/indexes/conala     this one
    python app.py --index hf://datasets/owner/name  a published one, or one at a revision: owner/name@revision
    python app.py --share                           with a public link
    python app.py --mcp                             with the search as a tool for MCP clients, under /gradio_api/mcp/

Which index: --index; else INDEX_DIR (a folder); else INDEX_REPO (owner/name on the hub, or owner/name@revision); else
what BUILD_CORPUS names (conala; BUILD_LIMIT=N takes its first N rows); else assets/indexes/conala if it is built; else
assets/indexes/python, the small default.

An index that must be fetched or built first is made ready in the background, in a process of its own. Meanwhile, and if
it cannot be had, the page serves the next one of the list that is there, and says so. A fetch or a build that was
stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from retrieval import RetrievalError
from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library
from retrieval.serving.startup import (
    CONALA_HINT,
    DEFAULT,
    DEFAULT_NOTE,
    INDEXES,
    build_default,
    choose_index,
    is_built,
    take_over,
)

if TYPE_CHECKING:
    from retrieval.ui.public_link import PublicLink

ROOT = Path(__file__).resolve().parent
SPACE_NOTE = "No public link was asked for: this page is on a Hugging Face Space, and public already."
LOCALHOST = "127.0.0.1"
DEFAULT_PORT = 7860


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Returns the parser of the command line; the environment gives defaults, as on a Space."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everywhere = "0.0.0.0" if "SPACE_ID" in environment else LOCALHOST
    made.add_argument("--index", metavar="DIR", help="a built index, or hf://datasets/owner/name")
    made.add_argument("--host", default=environment.get("GRADIO_SERVER_NAME") or everywhere)
    made.add_argument("--port", type=_port, default=environment.get("GRADIO_SERVER_PORT") or DEFAULT_PORT)
    made.add_argument("--share", action="store_true", help="ask for a public link through Gradio's tunnel")
    made.add_argument("--mcp", action="store_true", help="serve the search as a tool for MCP clients, too")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser(os.environ).parse_args(arguments)
    stop = StopRequest()
    if problem := _port_problem(args.host, args.port):
        return _fail(problem)
    # Read when Gradio is imported, and when it talks to itself to see whether it is up.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost", LOCALHOST]))
    library = Library(ROOT / INDEXES)
    background: BackgroundIndex | None = None
    try:
        choice = choose_index(args.index, os.environ, ROOT)
        library.add(choice.path, as_default=True)
        if choice.job is not None:
            background = BackgroundIndex(choice.job, partial(take_over, library), log=_log)
            background.start()
        if choice.is_default and not is_built(choice.path):
            build_default(choice.path)
        if is_built(choice.path):
            # Gradio takes seconds to import, some of them spent waiting for files: the index is opened meanwhile.
            threading.Thread(target=_import_page, name="import-page", daemon=True).start()
        where = Address(args.host, args.port, share=args.share, mcp=args.mcp)
        return serve(library, where, stop, background)
    except RetrievalError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0
    finally:
        if background is not None:
            background.stop()


class StopRequest:
    """Remembers Ctrl-C. The exception alone can be lost: libraries that are starting swallow what is raised in them."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, signal_number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served, and to whom."""

    host: str
    port: int
    share: bool
    """Whether a public link is asked for."""
    mcp: bool
    """Whether MCP clients are answered, too."""


def serve(library: Library, where: Address, stop: StopRequest, background: BackgroundIndex | None) -> int:
    """Serves the page until it is stopped, and returns the exit status.

    Raises:
        RetrievalError: if the index cannot be opened.
    """
    searcher = library.open()
    from retrieval.ui.mcp_tools import answer_in_json
    from retrieval.ui.page import build_page
    from retrieval.ui.public_link import PublicLink, gradio_tunnel
    from retrieval.ui.theme import launch_options

    notes: list[str] = []
    link: PublicLink | None = None
    if where.share and "SPACE_ID" in os.environ:
        notes.append(SPACE_NOTE)
    elif where.share:
        link = PublicLink(partial(gradio_tunnel, where.host, where.port))
    about_default = DEFAULT_NOTE if background is not None else f"{DEFAULT_NOTE} {CONALA_HINT}"
    page = build_page(library, notes, link, index_notes={ROOT / DEFAULT: [about_default]}, background=background)
    try:
        page.launch(
            server_name=where.host,
            server_port=where.port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            mcp_server=where.mcp,
            **launch_options(),
        )
        if where.mcp:
            answer_in_json(page)
    except OSError as error:
        return _fail(f"the page cannot be served at {where.host}:{where.port}: {error}")
    shown_host = "localhost" if where.host in ("0.0.0.0", "::") else where.host
    print(f"{searcher!r}\nServing on http://{shown_host}:{where.port}/ - stop with Ctrl-C", flush=True)
    try:
        if link is not None:
            link.ask()
            print(link.note, flush=True)
        while not stop.asked:
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass  # it is remembered: both ways out of the loop end here
    print("stopped", file=sys.stderr)
    page.close(verbose=False)
    return 0


def _import_page() -> None:
    from retrieval.ui.quick_import import without_stubs

    with without_stubs():
        import retrieval.ui.page  # noqa: F401 - for its side effect: what it imports is there when it is needed


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is no port: 1 to 65535")
    return number


def _port_problem(host: str, port: int) -> str | None:
    """Returns why the address cannot be used, before seconds are spent on what would fail in the end."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"{host}:{port} cannot be served on: {error.strerror or error}. Choose another with --port or --host."
    return None


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fail(problem: str) -> int:
    print(f"error: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
