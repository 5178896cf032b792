"""Asks child processes what modules document: one that hangs, crashes or prints does not affect the others."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.python.child import run_child
from retrieval.errors import CorpusError

MAX_CHILDREN = 20
"""How many modules may hang or crash before the rest is read from source alone."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A function, class or property that a child found, whatever it is called from outside."""

    key: str
    kind: str
    """`function`, `class` or `property`."""
    name: str | None
    """Its own `__name__`."""
    home: str | None
    """Its own `__module__`."""
    doc: str | None
    signature: str | None
    """Parameters in brackets, for objects without Python source."""
    source: tuple[str, str] | None
    """File and qualified name of the definition, for objects with Python source."""
    members: tuple[tuple[str, str], ...] = ()
    """Name and key of everything public that a class defines itself."""
    bases: tuple[str, ...] = ()
    """Keys of a class's bases, in resolution order."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the children found out, filled in child by child."""

    names: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """For every module that could be imported, its public names and the keys of what they stand for."""
    declared: set[str] = field(default_factory=set)
    """The modules among them that list their public names in `__all__`."""
    entities: dict[str, Entity] = field(default_factory=dict)
    """By key, in the order found."""
    failures: dict[str, str] = field(default_factory=dict)
    """For every module that could not be read, why."""


def probe_modules(modules: Sequence[str], *, module_timeout_s: float) -> Probe:
    """Returns what `modules` document at run time.

    After a hang or a crash, a new child continues after the faulty module; that module's submodules are skipped
    with it, because importing them imports it first.

    Raises:
        CorpusError: if no child process can be started, or nothing can be written for it.
    """
    probe = Probe()
    waiting = list(modules)
    for _ in range(MAX_CHILDREN):
        if not waiting:
            break
        try:
            report = run_child(waiting, module_timeout_s=module_timeout_s)
        except OSError as error:
            raise CorpusError(
                f"the documentation that exists only at run time cannot be read, because the interpreter "
                f"{sys.executable!r} does not start with a folder in {tempfile.gettempdir()!r}: {error}. "
                f"Make sure that both can be used, or set TMPDIR to another folder."
            ) from error
        for line in report.lines:
            _absorb(line, probe)
        if report.cut_short is not None:
            culprit = report.culprit or waiting[0]
            lost = [name for name in waiting if f"{name}.".startswith(f"{culprit}.") and name not in probe.names]
            probe.failures.update(dict.fromkeys(lost, report.cut_short))
        waiting = [name for name in waiting if name not in probe.names and name not in probe.failures]
    probe.failures.update(dict.fromkeys(waiting, f"given up after {MAX_CHILDREN} hangs or crashes"))
    return probe


def _absorb(line: dict[str, Any], probe: Probe) -> None:
    if "module" not in line:
        return
    if line["error"] is not None:
        probe.failures[line["module"]] = line["error"]
        return
    probe.names[line["module"]] = _pairs(line["names"])
    if line["declared"]:
        probe.declared.add(line["module"])
    for raw in line["entities"]:
        source = raw["source"]
        entity = Entity(
            key=raw["key"],
            kind=raw["kind"],
            name=raw["name"],
            home=raw["home"],
            doc=raw["doc"],
            signature=raw["signature"],
            source=None if source is None else (source[0], source[1]),
            members=_pairs(raw.get("members", ())),
            bases=tuple(raw.get("bases", ())),
        )
        probe.entities.setdefault(entity.key, entity)


def _pairs(raw: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, key) for name, key in raw)
