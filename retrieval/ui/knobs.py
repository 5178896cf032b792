"""The controls of a search, and what they mean in one sentence each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from retrieval.results import SearchSettings
from retrieval.search.searcher import Searcher
from retrieval.ui.quick_import import without_stub
from retrieval.ui.request_limits import MAX_MULTIPLIER, MAX_TOP_K, served_settings
from retrieval.ui.scan_choice import probes_update, scan_update

CANDIDATE_STEPS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_NAMES = ("top_k", "num_candidates", "rescore_multiplier", "asymmetric", "rescore", "scan", "probes")
"""The fields of `SearchSettings` that have a control, in the order of `Knobs.inputs`."""


with without_stub():

    class OpenDropdown(gr.Dropdown):  # type: ignore[misc]
        """A drop-down list that accepts any value, not only its choices.

        Choices change with the index and with what a visitor builds: a browser may still send an old one.
        """

        is_template = True  # to the browser it is a plain drop-down list

        def preprocess(self, payload: Any) -> Any:
            """Returns what the browser sent; the handler checks it."""
            return payload

    class OpenSlider(gr.Slider):  # type: ignore[misc]
        """A slider that accepts any value, so that one beyond its ends gets a proper error message."""

        is_template = True

        def preprocess(self, payload: Any) -> Any:
            """Returns what the browser sent; the handler checks it."""
            return payload


class Knobs:
    """The controls, in the order in which handlers take their values."""

    def __init__(self, searcher: Searcher) -> None:
        """Places the controls for an index in the layout that is being built."""
        defaults = searcher.defaults
        self.top_k = OpenSlider(
            1, MAX_TOP_K, defaults.top_k, step=1, label="Results", buttons=[],
            info="How many results to show; the members of a group count once.",
        )  # fmt: skip
        self.num_candidates = OpenDropdown(
            candidate_choices(defaults, defaults), value=defaults.num_candidates, filterable=False,
            label="Candidates", info="How many of the nearest texts, by bits, go on to the next stage.",
        )  # fmt: skip
        self.rescore_multiplier = OpenSlider(
            1, MAX_MULTIPLIER, defaults.rescore_multiplier, step=1, label="Rescore multiplier", buttons=[],
            info="This many int8 vectors are read from disk for each result shown.",
        )  # fmt: skip
        self.asymmetric = gr.Checkbox(
            defaults.asymmetric, label="Asymmetric stage",
            info="Order the candidates by the float32 query against their bits, before anything is read from disk.",
        )  # fmt: skip
        self.rescore = gr.Checkbox(
            defaults.rescore, label="Rescore with int8",
            info="Score with the int8 vectors; without it, scores are estimates from the bits.",
        )  # fmt: skip
        self.scan = OpenDropdown(label="Scan", filterable=False, **scan_update(searcher, defaults))
        self.probes = OpenDropdown(
            label="Lists visited", filterable=False, info="How many lists the scan called lists visits.",
            **probes_update(searcher, defaults),
        )  # fmt: skip
        self.reset = gr.Button("Reset to defaults", size="sm", variant="secondary")

    @property
    def inputs(self) -> list[Any]:
        """Returns the components whose values make up the settings."""
        numbers = [self.top_k, self.num_candidates, self.rescore_multiplier]
        return [*numbers, self.asymmetric, self.rescore, self.scan, self.probes]

    @property
    def moved(self) -> list[Any]:
        """Returns the events of a visitor moving a control. A slider reports typed numbers only by `change`."""
        sliders = [self.top_k.change, self.rescore_multiplier.change]
        chosen = [self.num_candidates.input, self.scan.input, self.probes.input]
        return [*sliders, *chosen, self.asymmetric.input, self.rescore.input]

    def updates(self, searcher: Searcher, settings: SearchSettings) -> list[Any]:
        """Returns `settings` as new values of `inputs`, for another index."""
        candidates = OpenDropdown(candidate_choices(searcher.defaults, settings), value=settings.num_candidates)
        scan = OpenDropdown(**scan_update(searcher, settings))
        probes = OpenDropdown(**probes_update(searcher, settings))
        switches = (settings.asymmetric, settings.rescore)
        return [settings.top_k, candidates, settings.rescore_multiplier, *switches, scan, probes]


def candidate_choices(defaults: SearchSettings, settings: SearchSettings) -> list[tuple[str, int]]:
    """Returns the numbers of candidates that can be chosen, including those of the defaults and the settings."""
    steps = sorted({*CANDIDATE_STEPS, defaults.num_candidates, settings.num_candidates})
    return [(f"{step:,}", step) for step in steps]


def settings_of(values: tuple[Any, ...], defaults: SearchSettings) -> SearchSettings:
    """Returns the settings that the values of `Knobs.inputs` stand for; an emptied control means its default.

    Raises:
        QueryError: if one of them has the wrong type, or is beyond the limits here.
    """
    given = {name: value for name, value in zip(_NAMES, values, strict=True) if value != ""}
    return served_settings(defaults, given)


def values_of(settings: SearchSettings) -> tuple[Any, ...]:
    """Returns the values of `Knobs.inputs` that stand for `settings`."""
    return tuple(getattr(settings, name) for name in _NAMES)
