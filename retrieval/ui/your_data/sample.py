"""Sample data to try the view with: the documentation of this Python's modules."""

from __future__ import annotations

import csv
import importlib
import inspect
import io

TITLE = "python-sample.csv"
_MODULES = (
    *("pathlib", "json", "csv", "random", "statistics", "math", "datetime", "time", "calendar", "collections"),
    *("itertools", "functools", "heapq", "bisect", "re", "string", "textwrap", "shutil", "tempfile", "os.path", "glob"),
    *("zipfile", "tarfile", "gzip", "hashlib", "secrets", "base64", "threading", "queue", "subprocess", "logging"),
    *("urllib.parse", "http.client", "socket", "email.message", "decimal", "fractions", "difflib", "pprint", "copy"),
    *("sqlite3", "configparser", "argparse", "html", "inspect", "unittest", "contextlib", "asyncio", "uuid"),
)


def sample_csv() -> str:
    """Returns a table of documented functions, classes and methods: `summary`, `description`, `name`, `url`."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["summary", "description", "name", "url"])
    for module_name in _MODULES:
        module = importlib.import_module(module_name)
        for name, thing in sorted(vars(module).items()):
            if name.startswith("_") or getattr(thing, "__module__", None) != module_name:
                continue
            members = sorted(vars(thing).items()) if inspect.isclass(thing) else []
            named = [(name, thing), *((f"{name}.{key}", each) for key, each in members if not key.startswith("_"))]
            writer.writerows(row for each, value in named if (row := _row(module_name, each, value)) is not None)
    return out.getvalue()


def _row(module: str, name: str, thing: object) -> list[str] | None:
    if not (inspect.isroutine(thing) or inspect.isclass(thing) or isinstance(thing, property)):
        return None
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    summary = " ".join(text.split("\n\n")[0].split())
    if len(summary) < 20:
        return None
    return [summary, text, f"{module}.{name}", f"https://docs.python.org/3/library/{module}.html#{module}.{name}"]
