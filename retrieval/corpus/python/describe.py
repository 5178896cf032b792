"""Turns live objects into plain data: what they are, their documentation, where their source is.

Half of the child's program, loaded by `probe`: only the standard library is imported here.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import types
from typing import Any

MAX_DOC_CHARS = 6000
MAX_SIGNATURE_CHARS = 300
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""What makes the `repr` of a default value differ between runs."""
PROPERTIES = (property, functools.cached_property, types.DynamicClassAttribute, types.GetSetDescriptorType)
ROUTINES = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)


class Describer:
    """Turns live objects into entities, each once."""

    def __init__(self) -> None:
        self.fresh: list[dict[str, object]] = []
        """Entities described since the caller last emptied the list."""
        self._keys: dict[int, str] = {}
        self._taken: set[str] = set()
        self._alive: list[object] = []  # an id is only unique as long as its object lives

    def describe(self, raw: Any, path: str) -> str | None:
        """Returns the key of the entity behind `raw`, or None if it is not one we document."""
        target = underlying(raw)
        kind = kind_of(target)
        if kind is None:
            return None
        if id(target) in self._keys:
            return self._keys[id(target)]
        key = stable_key(target)
        if key is None or key in self._taken:
            key = f"@{path}"
        self._keys[id(target)] = key
        self._taken.add(key)
        self._alive.append(target)
        entity: dict[str, object] = {
            "key": key,
            "kind": kind,
            "name": text_or_none(getattr(target, "__name__", None)),
            "home": home_of(target),
            "doc": doc_of(target),
            "signature": None,
            "source": source_of(target),
        }
        if kind == "class":
            entity["members"] = self._members(target, path)
            entity["bases"] = self._bases(target, path)
        if entity["source"] is None:
            entity["signature"] = signature_of(target)
        self.fresh.append(entity)
        return key

    def _members(self, cls: type, path: str) -> list[tuple[str, str]]:
        found = []
        for name in sorted(name for name in vars(cls) if isinstance(name, str) and not name.startswith("_")):
            try:
                value = member_value(cls, name)
                key = self.describe(value, f"{path}.{name}") if value is not None else None
            except Exception:  # noqa: BLE001 - a stranger's descriptor may raise anything; the next one may not
                continue
            if key is not None:
                found.append((name, key))
        return found

    def _bases(self, cls: type, path: str) -> list[str]:
        """Returns the keys of the bases whose methods may count as the class's own, in resolution order.

        Bases from other packages are left out: their methods are documented there, or not ours to document.
        """
        keys = []
        for base in cls.__mro__[1:]:
            home = str(getattr(base, "__module__", ""))
            if base is not object and (top(home) == top(str(cls.__module__)) or home.startswith("_")):
                key = self.describe(base, f"{path}~{base.__name__}")
                if key is not None:
                    keys.append(key)
        return keys


def top(module: str) -> str:
    """Returns the package that a dotted name begins with."""
    return module.partition(".")[0]


def text_or_none(value: object) -> str | None:
    """Returns `value` if it is text: a name or a docstring can be any object."""
    return value if isinstance(value, str) else None


def underlying(raw: Any) -> Any:
    """Returns what a static, class or bound method wraps, so that all paths to it count as one object."""
    if isinstance(raw, (staticmethod, classmethod, types.MethodType)):
        return raw.__func__
    if isinstance(raw, types.BuiltinFunctionType):
        owner = raw.__self__
        if owner is not None and not isinstance(owner, (types.ModuleType, type)):
            return inspect.getattr_static(type(owner), raw.__name__, raw)  # random.random is Random().random
    return raw


def kind_of(target: Any) -> str | None:
    """Returns `class`, `property` or `function`; None for anything else."""
    if isinstance(target, type):
        return "class"
    if isinstance(target, PROPERTIES):
        return "property"
    if isinstance(target, ROUTINES):
        return "function"
    if hasattr(target, "__origin__"):  # `dict[str, int]` and `typing.List` show the docstring of what they stand for
        return None
    # Compiled functions, ufuncs, cached and dispatching wrappers: callables with a name and a docstring of their own.
    if callable(target) and isinstance(getattr(target, "__name__", None), str):
        doc = getattr(target, "__doc__", None)
        return "function" if doc is not None and doc is not type(target).__doc__ else None
    return None


def member_value(cls: type, name: str) -> Any:
    """Returns the member if the class defines it, None for a mere reference to a class from elsewhere."""
    raw = vars(cls)[name]
    if isinstance(raw, type):
        return raw if raw.__qualname__.startswith(f"{cls.__qualname__}.") else None
    if not isinstance(raw, (staticmethod, classmethod, *PROPERTIES, *ROUTINES)) and hasattr(type(raw), "__get__"):
        value = getattr(cls, name)  # an accessor such as `Series.str` answers with its class
        return value if isinstance(value, type) else raw
    return raw


def home_of(target: Any) -> str | None:
    """Returns the module that the object says it belongs to."""
    try:
        owner = getattr(target, "__objclass__", target)  # methods written in C know their class only
        return text_or_none(getattr(owner, "__module__", None))
    except Exception:  # noqa: BLE001 - lazy objects may raise anything, whatever they are asked
        return None


def stable_key(target: Any) -> str | None:
    """Returns `module:qualname` if the object can be found under it again, else None."""
    module, qualname = home_of(target), getattr(target, "__qualname__", None)
    if module is None or not isinstance(qualname, str):
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = inspect.getattr_static(found, part, None)
    return f"{module}:{qualname}" if underlying(found) is target else None


def doc_of(target: Any) -> str | None:
    """Returns the object's own docstring, not that of its type or base; for a class without one, its `__init__`'s."""
    if isinstance(target, type):
        doc = vars(target).get("__doc__")
        # `type` answers with a descriptor, which serves the classes below it.
        doc = text_or_none(doc if doc is None or isinstance(doc, str) else getattr(target, "__doc__", None))
        if doc is None or not doc.strip():
            doc = text_or_none(getattr(vars(target).get("__init__"), "__doc__", None))
            doc = None if doc == object.__init__.__doc__ else doc
    else:
        doc = text_or_none(getattr(target, "__doc__", None))
        doc = None if doc is type(target).__doc__ else doc
    return ADDRESS.sub("", doc[:MAX_DOC_CHARS]) if doc is not None and doc.strip() else None


def source_of(target: Any) -> tuple[str, str] | None:
    """Returns the file and the qualified name of the definition, for objects written in Python."""
    if isinstance(target, type):
        for value in vars(target).values():
            place = None if isinstance(value, type) else source_of(underlying(value))
            # The module's name does not tell: packages overwrite `__module__` with the public path.
            if place is not None and place[1].rpartition(".")[0] == target.__qualname__:
                return place[0], target.__qualname__
        file = getattr(sys.modules.get(target.__module__), "__file__", None)
        return (file, target.__qualname__) if isinstance(file, str) and file.endswith(".py") else None
    function = getattr(target, "fget", None) or getattr(target, "func", None) or target
    try:
        function = inspect.unwrap(function)
    except ValueError:  # a cycle of wrappers
        return None
    code, namespace = getattr(function, "__code__", None), getattr(function, "__globals__", None)
    file = namespace.get("__file__") if isinstance(namespace, dict) else None
    if isinstance(code, types.CodeType) and isinstance(file, str) and "<" not in code.co_qualname:
        return file, code.co_qualname
    return None


def signature_of(target: Any) -> str | None:
    """Returns the parameters in brackets."""
    try:
        signature = ADDRESS.sub("", str(inspect.signature(target)))
    except Exception:  # noqa: BLE001 - many compiled objects have none, and a stranger's `__signature__` may raise
        return None
    return signature if len(signature) <= MAX_SIGNATURE_CHARS else "(...)"
