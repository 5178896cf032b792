"""The address of the official documentation of a name."""

from __future__ import annotations

import builtins
import sys

from retrieval.corpus.python.modules import STDLIB
from retrieval.corpus.python.names import Item

PYTHON_DOCS = f"https://docs.python.org/{sys.version_info.major}.{sys.version_info.minor}"
NUMPY_DOCS = "https://numpy.org/doc/stable"
PANDAS_DOCS = "https://pandas.pydata.org/docs"

SHARED_PAGES = {
    "cProfile": "profile",
    "ctypes": "ctypes",
    "curses.textpad": "curses",
    "dbm": "dbm",
    "email.mime": "email.mime",
    "encodings": "codecs",
    "importlib.abc": "importlib",
    "importlib.machinery": "importlib",
    "importlib.util": "importlib",
    "multiprocessing.shared_memory": "multiprocessing.shared_memory",
    "multiprocessing": "multiprocessing",
    "tkinter.commondialog": "dialog",
    "tkinter.dialog": "tkinter",
    "tkinter.filedialog": "dialog",
    "tkinter.simpledialog": "dialog",
    "urllib.response": "urllib.request",
    "wsgiref": "wsgiref",
    "xml.parsers.expat": "pyexpat",
    "xml.sax.saxutils": "xml.sax.utils",
    "xml.sax.xmlreader": "xml.sax.reader",
}
"""Pages of the library reference that are named differently from the module, by module or start of its name."""

ASYNCIO_PAGES = {
    **dict.fromkeys(("base_events", "events", "base_subprocess", "selector_events"), "asyncio-eventloop"),
    **dict.fromkeys(("exceptions",), "asyncio-exceptions"),
    **dict.fromkeys(("futures",), "asyncio-future"),
    **dict.fromkeys(("locks", "mixins"), "asyncio-sync"),
    **dict.fromkeys(("protocols", "transports"), "asyncio-protocol"),
    **dict.fromkeys(("queues",), "asyncio-queue"),
    **dict.fromkeys(("runners",), "asyncio-runner"),
    **dict.fromkeys(("streams",), "asyncio-stream"),
    **dict.fromkeys(("subprocess",), "asyncio-subprocess"),
    **dict.fromkeys(("tasks", "taskgroups", "threads", "timeouts", "coroutines"), "asyncio-task"),
    **dict.fromkeys(("unix_events", "windows_events"), "asyncio-policy"),
}
"""Pages of asyncio, by the module that defines a name."""

STDTYPES = frozenset({"bytearray", "bytes", "dict", "frozenset", "list", "memoryview", "range", "set", "str", "tuple"})
"""Built-in classes on the page of types; the others are on the page of functions."""


def url_of(item: Item) -> str | None:
    """Returns the address of the page and the anchor on it, or None for packages whose pages are unknown."""
    if item.package == STDLIB:
        return f"{PYTHON_DOCS}/library/{_python_page(item)}.html#{item.qualified_name}"
    if item.package == "numpy":
        return _numpy_url(item)
    if item.package == "pandas":
        return f"{PANDAS_DOCS}/reference/api/{item.qualified_name}.html"
    return None


def _python_page(item: Item) -> str:
    if item.module == "builtins":
        return _builtins_page(item)
    if item.module == "asyncio":
        return _asyncio_page(item)
    if item.qualname.partition(".")[0] == "Message" and item.module == "email.message":
        return "email.compat32-message"
    parts = item.module.split(".")
    for length in range(len(parts), 0, -1):
        page = SHARED_PAGES.get(".".join(parts[:length]))
        if page is not None:
            return page
    return item.module.lower()  # xml.etree.elementtree


def _builtins_page(item: Item) -> str:
    name, _, member = item.qualname.partition(".")
    builtin = getattr(builtins, name, None)
    if isinstance(builtin, type) and issubclass(builtin, BaseException):
        return "exceptions"
    is_function = item.kind == "function" or name in {"property", "classmethod", "staticmethod"}
    return "stdtypes" if not is_function and (member or name in STDTYPES) else "functions"


def _asyncio_page(item: Item) -> str:
    definer = item.home.rpartition(".")[2]
    if definer != "_asyncio":
        return ASYNCIO_PAGES.get(definer, "asyncio")
    if item.qualname.partition(".")[0] == "Future":
        return "asyncio-future"
    return "asyncio-eventloop" if item.qualname.endswith("_loop") else "asyncio-task"


def _numpy_url(item: Item) -> str:
    name = item.qualified_name
    if item.module == "numpy.random":
        return f"{NUMPY_DOCS}/reference/random/generated/{name}.html"
    if item.module in {"numpy.ctypeslib", "numpy.dtypes"}:
        return f"{NUMPY_DOCS}/reference/routines.{item.module.removeprefix('numpy.')}.html#{name}"
    if item.module == "numpy.typing":
        return f"{NUMPY_DOCS}/reference/typing.html#{name}"
    if item.module == "numpy.f2py":
        return f"{NUMPY_DOCS}/f2py/usage.html#{name}"
    if item.module == "numpy.lib.recfunctions":
        return f"{NUMPY_DOCS}/user/basics.rec.html#{name}"
    if item.module == "numpy.lib.scimath":
        name = f"numpy.emath.{item.qualname}"
    elif item.module == "numpy.polynomial" and item.home.startswith("numpy.polynomial."):
        name = f"{item.home}.{item.qualname}"  # the classes are documented where they are defined
    return f"{NUMPY_DOCS}/reference/generated/{name}.html"
