"""What a build measured about the search of its own corpus, and the settings it chose from that.

The build uses some of the corpus's texts as queries (see `tuning_sweep`) and searches them with many settings. The
measure of a setting is its *share*: its recall@10 over the recall@10 of rescoring all int8 vectors, both against the
exact float32 answer. Where int8 is wrong, a setting need not repeat the mistake: their agreement does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from retrieval.errors import counted
from retrieval.results import SCANS

MEASURED = "measured"
"""The `source` of settings that were chosen here."""
DEFAULT_TARGET_SHARE = 0.99
_CANDIDATES_PER_ROW = 2
"""An int8 row costs as much as this many candidates. Measured with 593,891 texts in RAM: a row takes 1 to 1.5 us, a
candidate 0.2 us on an AMD Zen 5, and 2 us on an Intel Sapphire Rapids, where the counting kernel's memory is slow."""
_FEWEST_CANDIDATES, _FEWEST_ROWS = 500, 100
"""The floor, though less may do for texts like the corpus's own: it would save only a fraction of a millisecond, and
questions can be harder than texts. In the documented Python functions, whose texts come in families, 100 candidates
and 40 rows keep 99 % for texts, and 97 % for people's questions; these keep 99.7 %."""
_MOST = 1e6
"""Above any share; an untrusted file may hold numbers beyond any float."""


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

    @property
    def cost(self) -> tuple[int, int]:
        """Returns what makes one setting smaller than another: work for each query, then rows read from the disk."""
        return (_CANDIDATES_PER_ROW * self.int8_rows + self.num_candidates, self.int8_rows)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the point that `dataclasses.asdict` made.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing, or is not a number of its kind.
        """
        whole = {name: _whole(values, name) for name in ("num_candidates", "rescore_multiplier", "int8_rows")}
        return cls(**whole, share=_number(values, "share", _MOST), recall=_number(values, "recall", 1))


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
        known = {name: _number(values, name, 1) for name in ("bits", "float_bits", "int8_all", "chosen")}
        published = None if values.get("published") is None else _number(values, "published", 1)
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
        probes = None if values["probes"] is None else _whole(values, "probes")
        reach = None if values.get("reach") is None else _number(values, "reach", 2)
        return cls(values["scan"], _number(values, "recall", 1), _number(values, "share", _MOST), probes, reach)


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
        whole = ("num_candidates", "rescore_multiplier", "top_k", "sampled_queries")
        return cls(
            **{name: _whole(values, name) for name in whole},
            target_share=float(values["target_share"]),
            reached_share=_number(values, "reached_share", _MOST),
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


def choose(curve: Sequence[TuningPoint], target_share: float) -> TuningPoint:
    """Returns the smallest setting that reaches the target, or the best one if none does.

    No setting below the floor, which costs next to nothing, is chosen; a small corpus uses all it has.

    Raises:
        ValueError: if there is no setting to choose from.
    """
    fewest_candidates = min(_FEWEST_CANDIDATES, max(point.num_candidates for point in curve))
    fewest_rows = min(_FEWEST_ROWS, max(point.int8_rows for point in curve))
    able = [each for each in curve if each.num_candidates >= fewest_candidates and each.int8_rows >= fewest_rows]
    reaching = [point for point in able if point.share >= target_share]
    if reaching:
        return min(reaching, key=lambda point: point.cost)
    return min(able, key=lambda point: (-point.share, point.cost))


def _whole(values: Mapping[str, Any], name: str) -> int:
    value = values[name]
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} is {value!r}, a whole number of at least 1 is needed")
    return value


def _number(values: Mapping[str, Any], name: str, highest: float) -> float:
    value = values[name]
    if type(value) not in (int, float) or not 0 <= value <= highest:
        raise ValueError(f"{name} is {value!r}, a number from 0 to {highest:g} is needed")
    return float(value)
