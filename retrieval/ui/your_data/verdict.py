"""The verdict on a visitor's data: how much quantization keeps and saves, and which settings to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE, Manifest
from retrieval.bundle.tuning import Tuning
from retrieval.errors import counted
from retrieval.evaluation.interval import share_interval
from retrieval.quantization import num_code_bytes
from retrieval.search.query_notes import is_multilingual
from retrieval.ui.markup import data_size, escaped

_FEW_TEXTS = 200
"""With fewer texts, most of them are candidates: losing nothing proves little."""
_MANY_CANDIDATES = 0.1
"""If more of the texts are candidates, the bits exclude little, and the verdict says so."""
_MANY = 0.2
_GOOD_RECALL = 0.97
_FILES = (
    (BINARY_FILE, "binary", "sign bits: all that must be in memory"),
    (INT8_FILE, "int8", "int8 codes: on disk, a few rows read for each query"),
    (DOCUMENTS_FILE, "text", "your texts: on disk"),
    (EMBEDDINGS_FILE, "float32", "float32 vectors: only for comparisons, optional"),
)


def verdict(manifest: Manifest, seen: Mapping[str, Any], elapsed_s: float) -> str:
    """Returns the verdict; `seen` is what the build noted of the rows (see `serving.visitor.child.build`)."""
    kept = manifest.tuning
    notes = "".join(f"<li>{text}</li>" for text in _notes(manifest, seen, kept))
    return (
        f'<section class="own-verdict"><p class="own-ready" role="status">Your index is ready and selected: '
        f"{escaped(manifest.corpus.title)}</p><h2>{_headline(manifest, kept)}</h2>"
        f'<div class="own-columns">{_recall(kept)}{_memory(manifest)}{_advice(manifest, kept)}</div>'
        f"<h3>What was read</h3><p>{_reading(manifest, seen, elapsed_s)}</p>"
        + (f'<h3>Good to know</h3><ul class="own-notes">{notes}</ul>' if notes else "")
        + "</section>"
    )


def percent(share: float) -> str:
    """Returns a share as percent, with one digit where it matters: `71 %`, `99.1 %`; 100 only where all is kept."""
    value = 100 * share
    if value >= 95:
        return f"{min(value, 99.9) if share < 1 else 100:.1f} %".replace("100.0", "100")
    return f"{value:.0f} %"


def _headline(manifest: Manifest, kept: Tuning | None) -> str:
    saving = f"from 1/{round(_float32_bytes(manifest) / _bit_bytes(manifest))} of the memory"
    if kept is None:
        return f"Your texts can be searched {saving}. What that costs in recall was not measured."
    bits, chosen = percent(kept.recall.bits), percent(kept.recall.chosen)
    return (
        f'1 bit alone keeps <span class="binary">{bits}</span> of the float32 top 10 of your data; '
        f'with rescoring it is <span class="mixed">{chosen}</span>, {saving}.'
    )


def _float32_bytes(manifest: Manifest) -> int:
    return 4 * manifest.dim * manifest.distinct_text_count


def _bit_bytes(manifest: Manifest) -> int:
    return num_code_bytes(manifest.dim) * manifest.distinct_text_count


def _recall(kept: Tuning | None) -> str:
    head = "<h3>Recall kept<small>of the exact float32 top 10</small></h3>"
    if kept is None:
        return (
            f'<div class="panel">{head}<p class="hint">Not measured: there are too few texts, or the index was built '
            "without this measurement. Compare a few of your own queries instead.</p></div>"
        )
    rows = (
        ("binary", "1 bit, nearest by Hamming distance", kept.recall.bits),
        ("mixed", "1 bit, ordered by float query &times; bits", kept.recall.float_bits),
        ("mixed", "the same, rescored with int8: <strong>this index</strong>", kept.recall.chosen),
        ("int8", "int8 of all texts: the upper limit", kept.recall.int8_all),
    )
    bars = "".join(_bar(colour, label, share, kept.sampled_queries) for colour, label, share in rows)
    return (
        f'<div class="panel">{head}<dl class="sizes">{bars}</dl><p class="hint">Measured with '
        f"{counted(kept.sampled_queries, 'text')} of yours as queries; next to each mean: its 95 % interval.</p></div>"
    )


def _bar(colour: str, label: str, share: float, num_queries: int) -> str:
    return (
        f"<div><dt>{label}</dt><dd>{percent(share)}<small>{_interval(share, num_queries)}</small></dd>"
        f'<div class="track" aria-hidden="true"><i class="{colour}" style="width:{100 * min(share, 1):.1f}%"></i></div>'
        "</div>"
    )


def _interval(share: float, num_queries: int) -> str:
    low, high = share_interval(share, num_queries)
    return f"{100 * low:.0f} to {100 * high:.0f}"


def _memory(manifest: Manifest) -> str:
    before, after = _float32_bytes(manifest), _bit_bytes(manifest)
    rows = "".join(
        f'<tr><th scope="row"><i class="dot {colour}" aria-hidden="true"></i>{data_size(record.size_bytes)}</th>'
        f"<td>{words}</td></tr>"
        for name, colour, words in _FILES
        if (record := manifest.files.get(name)) is not None
    )
    return (
        '<div class="panel"><h3>Memory for the vectors<small>calculated</small></h3>'
        f'<p class="figure">{data_size(before)} <small>&rarr;</small> {data_size(after)}</p>'
        f'<p class="hint">{manifest.distinct_text_count:,} &times; {manifest.dim:,} floats of 4 bytes before, '
        f"{manifest.dim:,} bits each after.</p>{_shared(manifest)}<h3>Files, as they are on disk</h3>"
        f'<table class="own-files"><tbody>{rows}</tbody></table></div>'
    )


def _shared(manifest: Manifest) -> str:
    """Returns what duplicates save, apart from what quantization saves; empty if no text is repeated."""
    if manifest.row_count == manifest.distinct_text_count:
        return ""
    return (
        f'<p class="hint">Your {manifest.row_count:,} rows hold {manifest.distinct_text_count:,} distinct texts. Rows '
        "with the same text share one vector, at every precision.</p>"
    )


def _advice(manifest: Manifest, kept: Tuning | None) -> str:
    defaults = manifest.defaults
    candidates, multiplier = defaults.num_candidates, defaults.rescore_multiplier
    origin = "measured on your data" if kept is not None else "the defaults"
    return (
        f'<div class="panel"><h3>Recommended settings<small>{origin}</small></h3><dl class="own-settings">'
        f"<div><dt>Candidates by bits</dt><dd>{candidates:,}</dd></div>"
        f"<div><dt>Rescore multiplier</dt><dd>{multiplier:,}</dd></div>"
        f"<div><dt>int8 rows read for 10 results</dt><dd>{min(10 * multiplier, candidates):,}</dd></div></dl>"
        f'<p class="hint">{_judgement(manifest, kept)} They are the defaults of your index.</p></div>'
    )


def _judgement(manifest: Manifest, kept: Tuning | None) -> str:
    if kept is None:
        return "Compare a few of your own queries with float32 before you rely on them."
    if manifest.distinct_text_count >= _FEW_TEXTS and _candidates_share(manifest) > _MANY_CANDIDATES:
        return (
            f"{percent(_candidates_share(manifest))} of your texts are candidates in every query, so hardly anything "
            "can be lost. With more texts, more will be."
        )
    if manifest.distinct_text_count < _FEW_TEXTS:
        return "With so few texts, a plain float32 scan is just as fast and simpler."
    if kept.recall.chosen >= _GOOD_RECALL:
        return "Hardly anything is lost: quantization suits your data."
    if kept.recall.chosen >= kept.recall.int8_all - 0.01:
        return "The loss comes from int8 itself; rescore with float32 from disk if the last percent matters."
    return "More is lost than usual: raise the candidates, or compare with float32 before you rely on it."


def _candidates_share(manifest: Manifest) -> float:
    return min(1.0, manifest.defaults.num_candidates / max(1, manifest.distinct_text_count))


def _reading(manifest: Manifest, seen: Mapping[str, Any], elapsed_s: float) -> str:
    duplicates = manifest.row_count - manifest.distinct_text_count
    parts = [f"{counted(manifest.row_count, 'document')} in the index, built in {elapsed_s:.0f} s"]
    if manifest.dropped_rows:
        parts.append(f"{counted(manifest.dropped_rows, 'row')} without text left out")
    parts.append(f"{counted(duplicates, 'row')} with a repeated text, encoded once" if duplicates else "no duplicates")
    text = "; ".join(parts) + "."
    in_file, used = seen.get("rows_in_file", 0), seen.get("rows_used", 0)
    if in_file > used:
        least = "" if seen.get("counted_all", True) else "at least "
        text += f" <strong>Only the first {used:,} of {least}{in_file:,} rows were used.</strong>"
    return text


def _notes(manifest: Manifest, seen: Mapping[str, Any], kept: Tuning | None) -> Iterator[str]:
    if manifest.distinct_text_count < _FEW_TEXTS:
        yield (
            f"{counted(manifest.distinct_text_count, 'distinct text')} prove little: nearly all of them are "
            "candidates in every query. Use a few hundred for a meaningful verdict."
        )
    used = max(1, seen.get("rows_used", 0))
    if seen.get("non_ascii_texts", 0) / used > _MANY and not is_multilingual(manifest.model_id):
        yield (
            f"{percent(seen['non_ascii_texts'] / used)} of your texts have letters beyond English. The model, "
            f"{escaped(manifest.model_id.rsplit('/', 1)[-1])}, was trained on English: recall says how well "
            f"quantization keeps its order, not how good that order is in other languages."
        )
    sampled = max(1, seen.get("sampled_texts", 0))
    if seen.get("long_texts", 0) / sampled > _MANY:
        yield (
            f"{percent(seen['long_texts'] / sampled)} of your texts are longer than the model reads (about 200 words): "
            f"the rest is not searched. Split them into passages, one per row."
        )
    if cut := seen.get("cut_texts", 0):
        yield f"{counted(cut, 'text was', 'texts were')} so long that only the beginning was kept."
