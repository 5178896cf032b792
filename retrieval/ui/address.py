"""The address of the page: a query, an index, a view and the settings that differ from those of the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from retrieval.results import SCANS, SearchSettings
from retrieval.ui.request_limits import MAX_CANDIDATES, MAX_MULTIPLIER, MAX_PROBES, MAX_QUERY_CHARS, MAX_TOP_K
from retrieval.ui.your_data.own_index import OWN

_NUMBERS = {"k": "top_k", "n": "num_candidates", "m": "rescore_multiplier", "p": "probes"}
_SWITCHES = {"asymmetric": "asymmetric", "rescore": "rescore"}
_LARGEST = {"k": MAX_TOP_K, "n": MAX_CANDIDATES, "m": MAX_MULTIPLIER, "p": MAX_PROBES}


@dataclass(frozen=True, slots=True)
class Address:
    """What a link says; what it leaves out is None."""

    query: str = ""
    index: str | None = None
    view: str | None = None
    settings: Mapping[str, int | bool | str] = field(default_factory=dict)
    """By name of the field of `SearchSettings`."""

    def settings_over(self, defaults: SearchSettings) -> SearchSettings:
        """Returns the settings of the link over the defaults of an index."""
        changes: dict[str, Any] = dict(self.settings)
        return replace(defaults, **changes)


def address_of(
    query: str, index: str | None, view: str, settings: SearchSettings, defaults: SearchSettings, first_view: str
) -> str:
    """Returns the query part of a link, with the `?`; empty when there is nothing to say.

    A visitor's own index is left out: nobody else can open it.
    """
    parts: dict[str, str] = {}
    if query.strip():
        parts["q"] = query
    if index is not None and index != OWN:
        parts["index"] = index
    if view != first_view:
        parts["view"] = view
    for short, name in {**_NUMBERS, **_SWITCHES}.items():
        if (value := getattr(settings, name)) not in (None, getattr(defaults, name)):
            parts[short] = str(int(value))
    if settings.scan != defaults.scan:
        parts["scan"] = settings.scan
    return f"?{urlencode(parts, errors='replace')}" if parts else ""


def read_address(parts: Mapping[str, str]) -> Address:
    """Returns what the query part of a link says. Anybody can write one: what makes no sense is ignored."""
    settings: dict[str, int | bool | str] = {}
    for short, name in _NUMBERS.items():
        value = parts.get(short, "")
        if value.isascii() and value.isdigit() and 1 <= int(value[:7]) <= _LARGEST[short] and len(value) < 7:
            settings[name] = int(value)
    for short, name in _SWITCHES.items():
        if parts.get(short) in ("0", "1"):
            settings[name] = parts[short] == "1"
    if parts.get("scan") in SCANS:
        settings["scan"] = parts["scan"]
    return Address(
        query=parts.get("q", "")[:MAX_QUERY_CHARS],
        index=parts.get("index") or None,
        view=parts.get("view") or None,
        settings=settings,
    )
