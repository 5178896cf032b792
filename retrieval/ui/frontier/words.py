"""The frontier as plain text: what was measured, the best of each scheme, and the recommendation."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.evaluation.cost import GB_BYTES, dollars, gigabytes
from retrieval.evaluation.frontier.points import Frontier, Point
from retrieval.evaluation.frontier.recommend import Choice, Recommendation
from retrieval.ui.markup import data_size

LABELS = {
    "float32": "float32",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "int8": "int8 by range (ours)",
    "8 bits": "8 bits per dimension",
    "6 bits": "6 bits per dimension",
    "4 bits": "4 bits per dimension",
    "RaBitQ 4 bits": "RaBitQ, 4 bits",
    "RaBitQ 3 bits": "RaBitQ, 3 bits",
    "RaBitQ 2 bits": "RaBitQ, 2 bits",
    "RaBitQ 1 bit": "RaBitQ, 1 bit",
    "PQ": "product quantization",
    "float-bits": "sign bits, float query",
    "bits": "sign bits, Hamming",
}
"""A readable name for each scheme."""
TARGETS = (0.90, 0.95, 0.98, 0.99)
_MANY_TIMES = 2
"""A set that is larger by this factor than the one that was measured has clearly more near neighbours."""


def label(scheme: str) -> str:
    """Returns a readable name for a scheme."""
    return LABELS.get(scheme, scheme)


def sample_line(frontier: Frontier) -> str:
    """Returns what was measured, and what that says about a larger set."""
    queries = "held out of them" if frontier.held_out else "given"
    taken = "" if frontier.num_given <= frontier.num_vectors + frontier.num_queries else f" (of {frontier.num_given:,})"
    return (
        f"{frontier.num_vectors:,} vectors{taken} of {frontier.dim} dimensions, {frontier.num_queries:,} queries "
        f"{queries}, {frontier.metric}, recall@{frontier.k} against the exact scan; {frontier.seconds:.0f} s. "
        f"A larger set has more near neighbours to confuse: expect less recall there."
    )


def smallest_reaching(points: list[Point], target: float) -> Point | None:
    """Returns the point of least oversampling that reaches a recall, one without rescoring first."""
    reaching = [point for point in points if point.recall.mean >= target]
    return min(reaching, key=lambda point: (point.rows_read, point.disk_bytes), default=None)


def frontier_lines(frontier: Frontier) -> Iterator[str]:
    """Yields a table: per scheme on all dimensions, the recall alone and the oversampling that reaches each target."""
    head = "".join(f"{f'>= {target:.2f}':>9}" for target in TARGETS)
    yield ""
    judged = f"{'nDCG@10':>9}" if frontier.is_judged else ""
    yield f"{'scheme':<24}{'bytes':>7}{f'recall@{frontier.k} alone':>26}{judged}{head}   oversampling, int8 rescoring"
    for scheme in dict.fromkeys(point.scheme for point in frontier.points):
        points = [p for p in frontier.points if (p.scheme, p.dim) == (scheme, frontier.dim)]
        if not points:
            continue
        alone = next(point for point in points if point.rescoring == "none")
        with_int8 = [point for point in points if point.rescoring in ("none", "int8")]
        cells = "".join(f"{oversampling_words(smallest_reaching(with_int8, target)):>9}" for target in TARGETS)
        shares = alone.recall
        recall = f"{shares.mean:.3f} [{shares.low:.3f}, {shares.high:.3f}]"
        ndcg = f"{alone.ndcg:>9.3f}" if alone.ndcg is not None else ""
        yield f"{label(scheme):<24}{alone.ram_bytes:>7,}{recall:>26}{ndcg}{cells}"
    for out in frontier.left_out:
        if out.dim == frontier.dim:
            yield f"{label(out.scheme):<24} not measured: {out.reason}"


def oversampling_words(point: Point | None) -> str:
    """Returns how a scheme reaches a recall: `alone`, `5x`, or `-` where it does not."""
    if point is None:
        return "-"
    return "alone" if point.rescoring == "none" else f"{point.oversampling}x"


def growth_lines(frontier: Frontier) -> Iterator[str]:
    """Yields how the recall of each scheme alone falls as more vectors compete."""
    sizes = sorted({each.num_vectors for each in frontier.growth})
    if len(sizes) < 2:
        return
    yield ""
    yield "recall alone, on parts of the vectors" + "".join(f"{size:>12,}" for size in sizes)
    for scheme in dict.fromkeys(each.scheme for each in frontier.growth):
        own = {each.num_vectors: each.recall.mean for each in frontier.growth if each.scheme == scheme}
        yield f"{label(scheme):<37}" + "".join(f"{own[size]:>12.3f}" for size in sizes)
    yield ""


def choice_line(frontier: Frontier, advice: Recommendation) -> str:
    """Returns the recommendation in a few sentences."""
    wish = advice.wish
    wanted = f"recall@{frontier.k} of {wish.target:g}, {wish.scarce} scarce, {wish.num_vectors:,} vectors"
    return f"{wanted}: {' '.join(choice_lines(frontier, advice))}"


def choice_lines(frontier: Frontier, advice: Recommendation) -> list[str]:
    """Returns what to take, then the cautions that are due, then what else there is to say, a sentence or two each."""
    if advice.best is None:
        return ["None of the measured schemes reaches this. Keep float32, or lower the target."]
    lines = [f"Take {described(advice.best)}.", *cautions(frontier, advice)]
    if not advice.sign_bits_suffice:
        lines.append(f"Sign bits lose too much here: take {label(advice.best.point.scheme)}.")
    if advice.runner_up is not None:
        lines.append(f"Runner-up: {described(advice.runner_up)}.")
    return lines


def cautions(frontier: Frontier, advice: Recommendation) -> list[str]:
    """Returns why a recommendation may not hold: few queries, or far fewer vectors than there will be."""
    found = []
    if advice.within_noise:
        found.append("Its 95 % interval reaches below the target: measure with more queries before you rely on it.")
    if advice.reads_too_large_a_part:
        found.append(
            f"It rescores {advice.share_read:.0%} of these vectors for each query. In a larger set the same number of "
            f"candidates finds less: measure with more vectors before you rely on it."
        )
    if advice.wish.num_vectors > _MANY_TIMES * frontier.num_vectors:
        found.append(
            f"Measured among {frontier.num_vectors:,} vectors. Among {advice.wish.num_vectors:,}, more near neighbours "
            f"compete: expect less recall, and leave a margin."
        )
    return found


def described(choice: Choice) -> str:
    """Returns a choice in one line: scheme, oversampling, recall, size and cost."""
    point = choice.point
    rescored = (
        ""
        if point.rescoring == "none"
        else (f", {point.oversampling}x oversampling rescored by {point.rescoring} from disk")
    )
    disk = f" and {size(choice.disk.size_bytes)} of disk" if choice.disk.size_bytes else ""
    return (
        f"{label(point.scheme)} on {point.dim} dimensions{rescored}: recall {point.recall.mean:.3f}, "
        f"{size(choice.ram.size_bytes)} of RAM{disk}, {dollars(choice.monthly)} per month"
    )


def size(size_bytes: int) -> str:
    """Returns a size as the article counts it, 2^30 bytes to the GB; a small one in decimal units."""
    return gigabytes(size_bytes) if size_bytes >= GB_BYTES / 10 else data_size(size_bytes)
