"""What a build measured about the search of its own corpus, and the settings it chose from that.

The build uses some of the corpus's texts as queries (see `tuning_sweep`) and searches them with many settings. The
measure of a setting is its *share*: its recall@10 over the recall@10 of rescoring all int8 vectors, both against the
exact float32 answer. Where int8 is wrong, a setting need not repeat the mistake: their agreement does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from retrieval.bundle.manifest_values import number, whole
from retrieval.errors import counted
from retrieval.results import SCANS

MEASURED = "measured"
"""The `source` of settings that were chosen here."""
DEFAULT_TARGET_SHARE = 0.99
_MOST_SHARE = 1e6
"""Above any share that is measured, and within what a float can hold."""


def is_share(value: object) -> bool:
    """Returns whether `value` is a share that a build can aim for: above 0, and at most 1."""
    return type(value) in (int, float) and 0 < value <= 1  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class TuningPoint:
    """One setting of the search, and how much it found of the sampled queries' answers."""

    num_candidates: int
    rescore_multiplier: int
    int8_rows: int
    """Rows that are read for `top_k` results: `rescore_multiplier * top_k`, or all candidates."""
    share: float
    """Its recall over that of all int8 vectors; chance may bring it above 1."""
    recall: float
    """recall@10 against the exact float32 answer, in [0, 1]."""

    @property
    def setting(self) -> tuple[int, int]:
        """Returns candidates and multiplier."""
        return self.num_candidates, self.rescore_multiplier

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the point that `dataclasses.asdict` made.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing, or is not a number of its kind.
        """
        counts = {name: whole(name, values[name]) for name in ("num_candidates", "rescore_multiplier", "int8_rows")}
        return cls(**counts, share=_share(values), recall=_recall(values, "recall"))


@dataclass(frozen=True, slots=True)
class TuningRecall:
    """recall@10 of the sampled queries, stage by stage, in [0, 1]."""

    bits: float
    """The ten nearest by Hamming distance."""
    float_bits: float
    """The ten best of the chosen candidates by float query x bits."""
    int8_all: float
    """The ten best of all int8 vectors: no setting can be expected to do better."""
    chosen: float
    """The chosen settings."""
    published: float | None = None
    """Four times ten by Hamming distance, ordered by raw int8 codes, as the 2024 demos do it; None in an index that
    was built before this was measured."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the recall that `dataclasses.asdict` made.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing, or is not a share.
        """
        known = {name: _recall(values, name) for name in ("bits", "float_bits", "int8_all", "chosen")}
        published = None if values.get("published") is None else _recall(values, "published")
        return cls(**known, published=published)


@dataclass(frozen=True, slots=True)
class ScanRecall:
    """How much a scan other than Hamming finds of the sampled queries' answers, with the chosen number of int8 rows."""

    scan: str
    """`float-bits` or `lists`."""
    recall: float
    """recall@10 against the exact float32 answer, in [0, 1]."""
    share: float
    """Its recall over that of all int8 vectors; chance may bring it above 1."""
    probes: int | None = None
    """Lists that were visited, at most; None for a scan without lists."""
    reach: float | None = None
    """Lists whose cosine with the query was lower than the nearest one's by more than this were skipped; None: none."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the recall that `dataclasses.asdict` made.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing, or of another kind.
        """
        if values["scan"] not in SCANS:
            raise ValueError(f"scan is {values['scan']!r}, one of {', '.join(SCANS)} is needed")
        probes = None if values["probes"] is None else whole("probes", values["probes"])
        reach = None if values.get("reach") is None else number("reach", values["reach"], 0, 2)
        return cls(values["scan"], _recall(values, "recall"), _share(values), probes, reach)


@dataclass(frozen=True, slots=True)
class Tuning:
    """The settings that a build chose, and what it chose them from."""

    num_candidates: int
    rescore_multiplier: int
    top_k: int
    """Results that were asked for."""
    target_share: float
    reached_share: float
    """The share of the chosen settings."""
    reached: bool
    """False if no setting reached the target: the chosen one is then the best."""
    sampled_queries: int
    recall: TuningRecall
    curve: tuple[TuningPoint, ...]
    """Every setting that was tried, in order of candidates, then of rows."""
    scans: tuple[ScanRecall, ...] = ()
    """The other scans: `float-bits`, and `lists` once for every number of lists that was tried, the chosen one last."""

    @property
    def setting(self) -> tuple[int, int]:
        """Returns the candidates and the multiplier that were chosen."""
        return self.num_candidates, self.rescore_multiplier

    @property
    def probes(self) -> int | None:
        """Returns how many lists the scan `lists` visits by default, at most; None where there are no lists."""
        return self.scans[-1].probes if self.scans else None

    @property
    def reach(self) -> float | None:
        """Returns which of these lists are skipped; see `ScanRecall`."""
        return self.scans[-1].reach if self.scans else None

    def to_json(self) -> dict[str, Any]:
        """Returns the values as the manifest keeps them, under `search`."""
        return {**asdict(self), "source": MEASURED, "curve": [asdict(point) for point in self.curve]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the tuning that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing, or is not a number of its kind.
        """
        curve = values["curve"]
        if not isinstance(curve, list) or not curve:
            raise ValueError("the curve of the search settings is not a list of points")
        if type(values["reached"]) is not bool or not is_share(values["target_share"]):
            raise ValueError("reached is true or false, and target_share a number above 0, and at most 1")
        counts = ("num_candidates", "rescore_multiplier", "top_k", "sampled_queries")
        return cls(
            **{name: whole(name, values[name]) for name in counts},
            target_share=float(values["target_share"]),
            reached_share=_share(values, "reached_share"),
            reached=values["reached"],
            recall=TuningRecall.from_json(values["recall"]),
            curve=tuple(TuningPoint.from_json(point) for point in curve),
            scans=tuple(ScanRecall.from_json(scan) for scan in values.get("scans", ())),
        )

    def __str__(self) -> str:
        settings = f"{self.num_candidates:,} candidates and {self.rescore_multiplier} int8 rows per result"
        kept = f"{100 * self.reached_share:.1f} % of what rescoring all int8 vectors would find"
        wanted = f"{100 * self.target_share:g} %"
        sampled = counted(self.sampled_queries, "text")
        why = f"the target is at least {wanted}" if self.reached else f"no setting reaches the target of {wanted}"
        return f"Searches use {settings}. On {sampled} of the corpus, they keep {kept}; {why}."


def _recall(values: Mapping[str, Any], name: str) -> float:
    return number(name, values[name], 0, 1)


def _share(values: Mapping[str, Any], name: str = "share") -> float:
    return number(name, values[name], 0, _MOST_SHARE)
