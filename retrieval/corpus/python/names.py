"""Gives every documented object one public name, the shortest that leads to it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus.python.catalogue import HIDDEN_NAMES, PREFERRED_CLASSES
from retrieval.corpus.python.modules import STDLIB, Module
from retrieval.corpus.python.runtime import Entity, Probe
from retrieval.corpus.python.source import SourceFile

MAX_CLASS_DEPTH = 3
"""`pandas.Series.str.upper` is two classes deep; a cycle of accessors would have no end."""
MIN_COPIED_CHARS = 200
"""Docstrings of this length are not identical by chance."""


@dataclass(frozen=True, slots=True)
class Item:
    """A documented object under its public name."""

    module: str
    """The public module, such as `subprocess`."""
    qualname: str
    """The name inside it, such as `Popen.communicate`."""
    kind: str
    """`function`, `method`, `property` or `class`."""
    package: str
    home: str
    """The module that defines it, which tells the page of documentation where one module has several."""
    doc: str
    signature: str | None = None
    source: tuple[str, str] | None = None
    """File and qualified name of its definition, where it has Python source."""

    @property
    def qualified_name(self) -> str:
        """Returns the name people write: `subprocess.run`, `numpy.sort`, and `str.split` for what needs no import."""
        return self.qualname if self.module == "builtins" else f"{self.module}.{self.qualname}"


@dataclass(frozen=True, slots=True)
class Place:
    """One of the names that lead to an entity."""

    module: str
    qualname: str
    declared: bool
    """Whether the module lists the name in `__all__`, or the class's."""

    def rank(self, entity: Entity) -> tuple[object, ...]:
        """Returns a sort key: the name to use comes first."""
        parts = self.qualname.split(".")
        # `len` needs no module at all, so it counts as shorter than anything that does.
        depth = len(parts) + (0 if self.module == "builtins" else len(self.module.split(".")))
        liking = preference(self.module, self.qualname)
        foreign = self.module != entity.home
        return depth, parts[-1] != entity.name, foreign, not self.declared, liking, self.module, self.qualname


def preference(module: str, qualname: str) -> int:
    """Returns the position of a name's class among those that people use; low is good."""
    owner = f"{module}.{qualname.partition('.')[0]}"
    return PREFERRED_CLASSES.index(owner) if owner in PREFERRED_CLASSES else len(PREFERRED_CLASSES)


class Namer:
    """Names what the children reported, level by level: modules, classes, nested classes."""

    def __init__(self, probe: Probe, modules: Iterable[Module]) -> None:
        self._probe = probe
        self._packages = {module.name: module.package for module in modules}
        self._places: dict[str, Place] = {}

    def items(self) -> list[Item]:
        """Returns everything that is documented and reachable by public names."""
        level: dict[str, Place] = {}
        for module, names in self._probe.names.items():
            self._offer(level, ((key, Place(module, name, module in self._probe.declared)) for name, key in names))
        methods: set[str] = set()
        for _ in range(MAX_CLASS_DEPTH):
            self._places.update(level)
            below: dict[str, Place] = {}
            for key, place in level.items():
                if self._probe.entities[key].kind == "class":
                    self._offer(below, self._members(key, place))
            methods.update(below)
            level = below
        self._places.update(level)
        return [item for key, place in self._places.items() if (item := self._item(key, place, key in methods))]

    def _offer(self, level: dict[str, Place], candidates: Iterable[tuple[str, Place]]) -> None:
        """Keeps the better of two names, unless a level above has named the object already."""
        for key, place in candidates:
            entity = self._probe.entities.get(key)
            if entity is None or key in self._places or f"{place.module}.{place.qualname}" in HIDDEN_NAMES:
                continue
            if key not in level or place.rank(entity) < level[key].rank(entity):
                level[key] = place

    def _members(self, key: str, place: Place) -> Iterator[tuple[str, Place]]:
        """Yields what a class defines, and what it inherits from bases that have no public name of their own."""
        taken: set[str] = set()
        for owner in (key, *self._probe.entities[key].bases):
            entity = self._probe.entities.get(owner)
            for name, member in () if entity is None else entity.members:
                if name not in taken and (owner == key or owner not in self._places):
                    yield member, Place(place.module, f"{place.qualname}.{name}", place.declared)
                taken.add(name)

    def _item(self, key: str, place: Place, in_class: bool) -> Item | None:
        entity = self._probe.entities[key]
        if entity.doc is None:
            return None
        kind = "method" if in_class and entity.kind == "function" else entity.kind
        return Item(
            module=place.module,
            qualname=place.qualname,
            kind=kind,
            package=self._packages[place.module],
            home=entity.home or place.module,
            doc=entity.doc,
            signature=entity.signature,
            source=entity.source,
        )


def items_from_source(module: Module, path: Path, source: SourceFile) -> list[Item]:
    """Returns what a module documents by its source alone, for modules that cannot be imported."""
    return [
        Item(
            module=module.name,
            qualname=definition.qualname,
            kind="method" if definition.kind == "function" and "." in definition.qualname else definition.kind,
            package=module.package,
            home=module.name,
            doc=definition.doc,
            source=(str(path), definition.qualname),
        )
        for definition in source.public()
        if definition.doc is not None
    ]


def distinct(items: Iterable[Item]) -> list[Item]:
    """Returns the items by package and name, without those that repeat another's name, definition or words.

    Packages copy docstrings: `Series.dt.floor` and `DatetimeArray.floor` are two functions with the same page of text.
    """
    kept: list[Item] = []
    seen: set[tuple[str, ...]] = set()
    for item in sorted(items, key=_distinction):
        marks: set[tuple[str, ...]] = {("name", item.qualified_name)}
        if item.source is not None:
            marks.add(("source", *item.source))
        if item.package != STDLIB and len(item.doc) >= MIN_COPIED_CHARS:
            marks.add(("words", item.package, item.qualname.rpartition(".")[2], inspect.cleandoc(item.doc)))
        if marks.isdisjoint(seen):
            kept.append(item)
            seen |= marks
    return sorted(kept, key=lambda item: (item.package != STDLIB, item.package, item.qualified_name))


def _distinction(item: Item) -> tuple[int, int, str]:
    return preference(item.module, item.qualname), item.qualified_name.count("."), item.qualified_name
