"""What a comparison says in words, and its figures as a table."""

from __future__ import annotations

from retrieval.evaluation.comparison.compare import MAX_TOP_K
from retrieval.evaluation.comparison.compared import (
    BITS,
    FLOAT32,
    PUBLISHED,
    Comparison,
    Method,
    in_words,
    percent,
    speed_words,
)
from retrieval.ui.compare.columns import dots, reference_name
from retrieval.ui.markup import counted, data_size, escaped, milliseconds


def verdict(comparison: Comparison) -> str:
    """Returns the sentence on top, the same for the other ways from bits, and the notes."""
    published, bits = comparison[PUBLISHED], comparison[BITS]
    others = (
        f"Rescored as the published demos do it, the bits keep {published.overlap}; alone they keep {bits.overlap}. "
        f"{counted(comparison.num_texts, 'distinct text')} compared, just now, on this machine."
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in _notes(comparison))
    return f'<p class="verdict" role="status">{escaped(in_words(comparison))}</p><p class="others">{others}</p>{notes}'


def figures(comparison: Comparison) -> str:
    """Returns the table: a row a way, and below it what the figures mean."""
    rows = "".join(_row(method, comparison) for method in comparison.methods)
    name = reference_name(comparison)
    heads = (
        "way", f"of {name}", "time", f"against {name}", "bytes a vector", "RAM for this index", "share of float32",
        "on disk",
    )  # fmt: skip
    cells = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        '<div class="figures" role="region" aria-label="Figures of each way" tabindex="0"><table>'
        f'<caption class="unseen">Overlap, time and memory of each way</caption><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_footnotes(comparison)}"
    )


def _row(method: Method, comparison: Comparison) -> str:
    faster = comparison.times_faster(method.key)
    is_reference = method.key == comparison.reference_key
    relation = "1x" if is_reference else "&ndash;" if faster is None else speed_words(faster)
    overlap = "&ndash;" if method.time_ms is None else f"{method.overlap} of {comparison.num_wanted}"
    time = "cannot be shown" if method.time_ms is None else f"{milliseconds(method.time_ms)} ms"
    cells = (
        overlap, time, relation, f"{method.vector_bytes:,}", data_size(method.ram_bytes),
        percent(method.ram_bytes / comparison[FLOAT32].ram_bytes),
        data_size(method.disk_bytes) if method.disk_bytes else "&ndash;",
    )  # fmt: skip
    inside = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{method.key}"><th scope="row">{dots(method.key)}{escaped(method.label)}</th>{inside}</tr>'


def _notes(comparison: Comparison) -> list[str]:
    notes = list(comparison.notes)
    if (missing := comparison[FLOAT32].missing) is not None:
        notes.append(f"{missing} Until then, overlap is counted with int8 over all vectors.")
    return notes


def _footnotes(comparison: Comparison) -> str:
    runs = {method.num_runs for method in comparison.methods if method.num_runs}
    most, fewest = max(runs), min(runs)
    of_runs = f"{most}" if most == fewest else f"{fewest} to {most}"
    lines = (
        f"<strong>Time</strong> is from the query vector to the ranked texts, the median of {of_runs} runs with warm "
        f"files and all cores. Encoding the query took {milliseconds(comparison.encode_ms)} ms, once for all; that and "
        "reading the texts of the results is in none of the times.",
        "float32 and int8 are read from the system's file cache, block by block. A program that holds them in its own "
        "memory saves a copy, and needs that memory: the scans here leave nothing behind in this process, which now "
        f"has {data_size(comparison.rss_bytes)} in RAM in all (RSS).",
        "<strong>Memory</strong> is that of the vectors, by arithmetic: one a distinct text. The model, the texts and "
        "the program come on top, and are the same for all ways.",
        f"Each way answers with distinct texts, at most {MAX_TOP_K} here; a text that ties with the last one of "
        f"{reference_name(comparison)} counts as found.",
    )
    return f'<ul class="footnotes">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'
