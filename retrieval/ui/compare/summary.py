"""What a comparison says in words, and its figures as a table."""

from __future__ import annotations

from retrieval.evaluation.comparison.answers import Comparison, WayAnswer
from retrieval.evaluation.comparison.compare import MAX_TOP_K
from retrieval.ui.compare.words import MISSING, dots, reference_name, sentence, short_percent, speed_words
from retrieval.ui.markup import counted, data_size, escaped, milliseconds
from retrieval.ui.ways import WAY_WORDS


def verdict(comparison: Comparison) -> str:
    """Returns the sentence on top, the same for the other ways from bits, and the notes."""
    published, bits = comparison["published"], comparison["bits"]
    others = (
        f"Rescored as the published demos do it, the bits keep {published.overlap}; alone they keep {bits.overlap}. "
        f"{counted(comparison.num_texts, 'distinct text')} compared, just now, on this machine."
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in _notes(comparison))
    return f'<p class="verdict" role="status">{escaped(sentence(comparison))}</p><p class="others">{others}</p>{notes}'


def figures(comparison: Comparison) -> str:
    """Returns the table: a row per way, and below it what the figures mean."""
    rows = "".join(_row(answer, comparison) for answer in comparison.answers)
    name = reference_name(comparison)
    heads = (
        "way", f"of {name}", "time", f"against {name}", "bytes per vector", "RAM for this index", "share of float32",
        "on disk",
    )  # fmt: skip
    cells = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        '<div class="figures" role="region" aria-label="Figures of each way" tabindex="0"><table>'
        f'<caption class="unseen">Overlap, time and memory of each way</caption><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_footnotes(comparison)}"
    )


def _row(answer: WayAnswer, comparison: Comparison) -> str:
    faster = comparison.times_faster(answer.key)
    is_reference = answer.key == comparison.reference_key
    relation = "1x" if is_reference else "&ndash;" if faster is None else speed_words(faster)
    overlap = "&ndash;" if answer.time_ms is None else f"{answer.overlap} of {comparison.num_wanted}"
    time = "cannot be shown" if answer.time_ms is None else f"{milliseconds(answer.time_ms)} ms"
    cells = (
        overlap, time, relation, f"{answer.vector_bytes:,}", data_size(answer.ram_bytes),
        short_percent(answer.ram_bytes / comparison["float32"].ram_bytes),
        data_size(answer.disk_bytes) if answer.disk_bytes else "&ndash;",
    )  # fmt: skip
    inside = "".join(f"<td>{cell}</td>" for cell in cells)
    name = escaped(WAY_WORDS[answer.key].name)
    return f'<tr class="{answer.key}"><th scope="row">{dots(answer.key)}{name}</th>{inside}</tr>'


def _notes(comparison: Comparison) -> list[str]:
    notes = list(comparison.notes)
    if comparison["float32"].time_ms is None:
        notes.append(f"{MISSING} Until then, overlap is counted with int8 over all vectors.")
    return notes


def _footnotes(comparison: Comparison) -> str:
    runs = {answer.num_runs for answer in comparison.answers if answer.num_runs}
    most, fewest = max(runs), min(runs)
    of_runs = f"{most}" if most == fewest else f"{fewest} to {most}"
    lines = (
        f"<strong>Time</strong> is from the query vector to the ranked texts, the median of {of_runs} runs with warm "
        "files and all cores; the quick ways are run in turns, in rotating order, and a way whose work is part of "
        f"another's is never shown as slower. Encoding the query took {milliseconds(comparison.encode_ms)} ms, once "
        "for all; that and reading the texts of the results is in none of the times.",
        "float32 and int8 are read from the system's file cache, block by block. A program that holds them in its own "
        "memory saves a copy, and needs that memory: the scans here leave nothing behind in this process, which now "
        f"has {data_size(comparison.rss_bytes)} in RAM in all (RSS).",
        "<strong>Memory</strong> is that of the vectors, by arithmetic: one per distinct text. The model, the texts "
        "and the program come on top, and are the same for all ways.",
        f"Each way answers with distinct texts, at most {MAX_TOP_K} here; a text that ties with the last one of "
        f"{reference_name(comparison)} counts as found.",
    )
    return f'<ul class="footnotes">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'
