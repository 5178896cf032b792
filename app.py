"""Serve the search page.

    .venv/bin/python app.py                                   an existing index, or a small default built on the spot
    .venv/bin/python app.py --index assets/indexes/conala     this one
    .venv/bin/python app.py --index hf://datasets/owner/name  a published one, or one at a revision: owner/name@revision
    .venv/bin/python app.py --index milvus://host:19530/name  one that scripts/load_milvus.py loaded into Milvus
    .venv/bin/python app.py --share                           with a public link
    .venv/bin/python app.py --mcp                             with tools for MCP clients

Which index: --index; else INDEX_DIR (a folder); else INDEX_REPO (owner/name on the hub, or owner/name@revision); else
what BUILD_CORPUS names (conala; BUILD_LIMIT=N takes its first N rows); else assets/indexes/conala if it is built; else
assets/indexes/python, the small default.

An index that must be fetched or built first is prepared in the background, in its own process. Meanwhile, and if that
fails, the page serves the next available one in the list, and says so. A fetch or a build that was stopped continues
where it stopped.

/health says whether the index can be searched, /metrics counts for Prometheus; Ctrl-C, SIGTERM, SIGHUP and SIGQUIT end
the server within seconds, and delete everything that visitors uploaded. A server on localhost answers only to its own
names: ALLOWED_HOSTS (names, or * for all) adds the name under which a proxy is reached.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval import RetrievalError
from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library
from retrieval.serving.logs import set_up_logs
from retrieval.serving.startup import DEFAULT, INDEXES, build_default, choose_index, is_built, take_over
from retrieval.serving.stopping import StopRequest, at_end, end_process
from retrieval.serving.temp_folders import TempRoot

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
    made.add_argument(
        "--index", metavar="DIR", help="a built index, hf://datasets/owner/name, or milvus://host:port/name"
    )
    made.add_argument("--host", default=environment.get("GRADIO_SERVER_NAME") or everywhere)
    made.add_argument("--port", type=_port, default=environment.get("GRADIO_SERVER_PORT") or DEFAULT_PORT)
    made.add_argument("--share", action="store_true", help="request a public link through Gradio's tunnel")
    made.add_argument("--mcp", action="store_true", help="also serve the endpoints as tools for MCP clients")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser(os.environ).parse_args(arguments)
    started = time.monotonic()
    stop: StopRequest | None = None
    try:
        stop = StopRequest()
        if problem := _port_problem(args.host, args.port):
            return _fail(problem)
        # Read when Gradio is imported, and when it talks to itself to see whether it is up.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        for name in ("no_proxy", "NO_PROXY"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost", LOCALHOST]))
        set_up_logs()
        library = Library(ROOT / INDEXES)
        background: BackgroundIndex | None = None
        _keep_uploads_apart()
        choice = choose_index(args.index, os.environ, ROOT)
        library.add(choice.path, as_default=True)
        if choice.job is not None:
            background = BackgroundIndex(choice.job, partial(take_over, library))
            at_end(background.stop)
            background.start()
        if choice.is_default and isinstance(choice.path, Path) and not is_built(choice.path):
            build_default(choice.path)
        if is_built(choice.path):
            # Gradio takes seconds to import, some of them spent waiting for files: the index is opened meanwhile.
            threading.Thread(target=_import_page, name="import-page", daemon=True).start()
        return serve(library, args, stop, background, started)
    except RetrievalError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0
    finally:
        if stop is None or stop.asked:  # None: the signal came while it was being taken over
            end_process()


def serve(
    library: Library,
    args: argparse.Namespace,
    stop: StopRequest,
    background: BackgroundIndex | None,
    started: float,
) -> int:
    """Serves the page until it is stopped, and returns the exit status.

    `background` is made ready meanwhile; `started` is when the program started, by the monotonic clock.

    Raises:
        RetrievalError: if the index cannot be opened.
    """
    print(f"{library.open()!r}, opened after {time.monotonic() - started:.1f} s", flush=True)
    from retrieval.ui.notes import CONALA_HINT, DEFAULT_NOTE
    from retrieval.ui.page import build_page
    from retrieval.ui.public_link import PublicLink, close_tunnels, gradio_tunnel
    from retrieval.ui.server.launch import Address, launch

    on_space = "SPACE_ID" in os.environ
    notes = [SPACE_NOTE] if args.share and on_space else []
    link: PublicLink | None = None
    if args.share and not on_space:
        link = PublicLink(partial(gradio_tunnel, args.host, args.port))
        at_end(close_tunnels)
    about_default = DEFAULT_NOTE if background is not None else f"{DEFAULT_NOTE} {CONALA_HINT}"
    page = build_page(library, notes, link, index_notes={ROOT / DEFAULT: [about_default]}, background=background)
    allowed = frozenset(os.environ.get("ALLOWED_HOSTS", "").replace(",", " ").split())
    where = Address(args.host, args.port, args.mcp, allowed)
    try:
        launch(page, library, where, background=background, shared_at=lambda: link.host if link else None)
    except OSError as error:
        return _fail(f"the page cannot be served at {args.host}:{args.port}: {error}")
    print(f"Serving on {where.url} after {time.monotonic() - started:.1f} s - stop with Ctrl-C", flush=True)
    _wait(stop, link)
    print("stopped", file=sys.stderr)
    page.close(verbose=False)
    return 0


def _wait(stop: StopRequest, link: PublicLink | None) -> None:
    """Asks for the public link, if one is wanted, and returns when the server is to stop."""
    try:
        if link is not None:
            link.ask()
            print(link.note, flush=True)
        while not stop.asked:
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass  # it is remembered: both ways out of the loop end here


def _keep_uploads_apart() -> None:
    """Has Gradio keep uploads in a folder of this process, which is deleted with it, or at the next start."""
    if not os.environ.get("GRADIO_TEMP_DIR"):  # read when Gradio is imported
        root = TempRoot()
        at_end(root.remove)
        os.environ["GRADIO_TEMP_DIR"] = str(root.path)


def _import_page() -> None:
    from retrieval.ui.quick_import import without_stubs

    with without_stubs():
        import retrieval.ui.page  # noqa: F401 - for its side effect: what it imports is there when it is needed


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is not a port: 1 to 65535")
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


def _fail(problem: str) -> int:
    print(f"error: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
