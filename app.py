"""Serve the search page.

    python app.py                                   the index that is there, or a small default built on the spot
    python app.py --index assets/indexes/conala     this one
    python app.py --share                           with a public link
    python app.py --mcp                             with the search as a tool for MCP clients, under /gradio_api/mcp/

Which index: --index; else INDEX_DIR; else assets/indexes/conala if it is built; else assets/indexes/python.
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
from retrieval.bundle import MANIFEST_FILE
from retrieval.library import Library

if TYPE_CHECKING:
    from retrieval.ui.public_link import PublicLink

ROOT = Path(__file__).resolve().parent
INDEXES = Path("assets", "indexes")
CONALA = INDEXES / "conala"
DEFAULT = INDEXES / "python"
DEFAULT_NOTE = (
    "This is the small default: the documented functions of the Python that runs here. The 593,891 Stack Overflow "
    "snippets of CoNaLa come with `make conala`, which reads them from the Hugging Face hub and serves them."
)
SPACE_NOTE = "No public link was asked for: this page is on a Hugging Face Space, and public already."
LOCALHOST = "127.0.0.1"
DEFAULT_PORT = 7860


@dataclass(frozen=True, slots=True)
class IndexChoice:
    """Which index to open, and whether it is the small default, which is built when it is missing."""

    path: Path
    is_default: bool = False


def choose_index(named: Path | None, environment: Mapping[str, str], root: Path) -> IndexChoice:
    """Returns the index to open; `root` is the folder of the project, whatever the working directory is."""
    if named is not None:
        return IndexChoice(named)
    if environment.get("INDEX_DIR"):
        return IndexChoice(Path(environment["INDEX_DIR"]))
    if _is_built(root / CONALA):
        return IndexChoice(root / CONALA)
    return IndexChoice(root / DEFAULT, is_default=True)


def _is_built(path: Path) -> bool:
    return (path / MANIFEST_FILE).exists()  # it is written last


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Returns the parser of the command line; the environment gives defaults, as on a Space."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everywhere = "0.0.0.0" if "SPACE_ID" in environment else LOCALHOST
    made.add_argument("--index", type=Path, metavar="DIR", help="a built index")
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
    choice = choose_index(args.index, os.environ, ROOT)
    try:
        if choice.is_default and not _is_built(choice.path):
            build_default(choice.path)
        if _is_built(choice.path):
            # Gradio takes seconds to import, some of them spent waiting for files: the index is opened meanwhile.
            threading.Thread(target=_import_page, name="import-page", daemon=True).start()
        return serve(choice, args.host, args.port, stop, share=args.share, mcp=args.mcp)
    except RetrievalError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0


def build_default(path: Path) -> None:
    """Builds the small default index, with its progress on standard error.

    Raises:
        RetrievalError: if it cannot be built.
    """
    from retrieval import build_index, load_encoder
    from retrieval.corpus.sources import SourceOptions, open_corpus
    from retrieval.progress_bar import ProgressBars

    print(f"No index yet: building the small default in {path}; about a minute.", file=sys.stderr)
    bars = ProgressBars()
    try:
        build_index(open_corpus(SourceOptions("python")), load_encoder(), path, report=bars)
    finally:
        bars.close()


class StopRequest:
    """Remembers Ctrl-C. The exception alone can be lost: libraries that are starting swallow what is raised in them."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, signal_number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt


def serve(choice: IndexChoice, host: str, port: int, stop: StopRequest, *, share: bool, mcp: bool) -> int:
    """Serves the page until it is stopped, and returns the exit status.

    Raises:
        RetrievalError: if the index cannot be opened.
    """
    library = Library(ROOT / INDEXES)
    library.add(choice.path, as_default=True)
    searcher = library.open()
    from retrieval.ui.page import build_page
    from retrieval.ui.public_link import PublicLink, gradio_tunnel
    from retrieval.ui.theme import launch_options

    notes = [DEFAULT_NOTE] if choice.is_default else []
    link: PublicLink | None = None
    if share and "SPACE_ID" in os.environ:
        notes.append(SPACE_NOTE)
    elif share:
        link = PublicLink(partial(gradio_tunnel, host, port))
    page = build_page(library, notes, link)
    try:
        page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            mcp_server=mcp,
            **launch_options(),
        )
    except OSError as error:
        return _fail(f"the page cannot be served at {host}:{port}: {error}")
    shown_host = "localhost" if host in ("0.0.0.0", "::") else host
    print(f"{searcher!r}\nServing on http://{shown_host}:{port}/ - stop with Ctrl-C", flush=True)
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


def _fail(problem: str) -> int:
    print(f"error: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
