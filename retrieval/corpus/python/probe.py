"""Imports modules and writes down what they document: the program of a child process.

    python -P probe.py JOB OUT

JOB is a JSON file `{"sys_path": [...], "modules": [...]}`. OUT receives one JSON object per line: `{"start": name}`
before a module is imported and `{"module": name, "error": ..., "declared": ..., "names": ..., "entities": ...}` after
it, so that the reader of OUT knows which module a hang or a crash belongs to. Standard output belongs to the modules.

An entity is a function, class or property, described once however many names lead to it. Its key is the same in
every child as long as the object can be found again under its own `__module__` and `__qualname__`.

This file runs without the package around it: only the standard library is imported here.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from retrieval.corpus.python import describe
else:  # by its file: the package around it would import modules that the documented ones should not see
    _spec = importlib.util.spec_from_file_location("_describe", Path(__file__).with_name("describe.py"))
    describe = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(describe)

FORBIDDEN_EVENTS = frozenset(
    {
        *("http.client.connect", "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname"),
        *("socket.sendto", "urllib.Request", "webbrowser.open"),
        *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.startfile", "os.system", "subprocess.Popen"),
    }
)
"""Audit events of a module that reaches for the network, a browser or another program."""


def refuse(event: str, args: tuple[object, ...]) -> None:
    """Stops what a module should not do on import."""
    if event in FORBIDDEN_EVENTS:
        raise PermissionError(f"{event} is not allowed while documentation is read")


def public_names(module: types.ModuleType) -> list[str]:
    """Returns what the module exports: its `__all__`, else the names it defines itself."""
    declared = declared_names(module)
    if declared is not None:
        return sorted({name for name in declared if isinstance(name, str) and not name.startswith("_")})
    names = [name for name in list(vars(module)) if isinstance(name, str) and not name.startswith("_")]
    return sorted(name for name in names if belongs(vars(module)[name], module))


def declared_names(module: types.ModuleType) -> list[object] | None:
    """Returns the module's `__all__`, or None if it has no such list."""
    declared = getattr(module, "__all__", None)
    return list(declared) if isinstance(declared, (list, tuple)) else None


def belongs(value: Any, module: types.ModuleType) -> bool:
    """Returns whether a value in a module without `__all__` is the module's own and not just imported there."""
    home, name = describe.home_of(value), module.__name__
    if home is None or home.startswith(("_", f"{name}.")) or home == name:
        return True
    if name == "builtins":
        return True  # `open` says that it belongs to `io`
    # A package shows what its parts define, and any module what its private neighbours define for it.
    return describe.top(home) == describe.top(name) and (hasattr(module, "__path__") or "._" in home)


def read_module(name: str, describer: describe.Describer) -> dict[str, object]:
    """Returns the line for one module."""
    names: list[tuple[str, str]] = []
    try:
        module = importlib.import_module(name)
        exported = public_names(module)
    except BaseException as error:  # noqa: BLE001 - SystemExit and worse: the other modules must not be lost
        return {"module": name, "error": f"{type(error).__name__}: {error}"[:500]}
    for attribute in exported:
        try:
            value = getattr(module, attribute)
            key = None if isinstance(value, types.ModuleType) else describer.describe(value, f"{name}.{attribute}")
        except BaseException:  # noqa: BLE001 - lazy attributes may raise anything; the next one may not
            continue
        if key is not None:
            names.append((attribute, key))
    entities, describer.fresh = describer.fresh, []
    declared = declared_names(module) is not None
    return {"module": name, "error": None, "declared": declared, "names": names, "entities": entities}


def run(job: dict[str, list[str]], out: TextIO) -> None:
    """Reads all modules of the job, writing a line before and after each."""
    dumps, write, flush = json.dumps, out.write, out.flush  # as they are now, before a module patches anything
    describer = describe.Describer()
    for name in job["modules"]:
        write(dumps({"start": name}) + "\n")
        flush()
        write(dumps(read_module(name, describer)) + "\n")
        flush()


def main() -> None:
    """Runs the job named on the command line and exits without running exit handlers."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path[:] = job["sys_path"]
    leave = os._exit
    with Path(sys.argv[2]).open("w", encoding="utf-8") as out:
        sys.argv[1:] = []
        sys.addaudithook(refuse)
        run(job, out)
    leave(0)


if __name__ == "__main__":
    main()
