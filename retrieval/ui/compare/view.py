"""The comparison: the same query at every precision, side by side."""

from __future__ import annotations

import gradio as gr

from retrieval.errors import counted
from retrieval.evaluation.comparison.answers import Comparison, WayAnswer
from retrieval.evaluation.comparison.compare import MAX_TOP_K, compare, ways_compared
from retrieval.search.searcher import Searcher
from retrieval.ui.compare.candidates import ANCHOR, candidates_section
from retrieval.ui.compare.columns import columns
from retrieval.ui.compare.words import MISSING, WAY_WORDS, dots, reference_name, sentence, short_percent, speed_words
from retrieval.ui.markup import data_size, escaped, milliseconds
from retrieval.ui.views import Question, Update
from retrieval.ui.visit import Visit


class CompareView:
    """Builds the view inside the `gr.Blocks` that is open, and answers the query."""

    key = "compare"

    def __init__(self, searcher: Searcher) -> None:
        self.board = gr.HTML(explanation(searcher), elem_id="compare", apply_default_css=False)
        self.outputs = [self.board]

    def on_index(self, searcher: Searcher) -> Update:
        """Returns the view for another index."""
        return self.empty(searcher)

    def empty(self, searcher: Searcher) -> Update:
        """Returns the view before there is a query."""
        return {self.board: explanation(searcher)}

    def show(self, message: str) -> Update:
        """Returns a message instead of the columns."""
        return {self.board: message}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the columns for a question.

        Raises:
            RetrievalError: if the comparison cannot be made.
        """
        comparison = compare(question.searcher, question.text, question.settings)
        return {self.board: board(comparison)}


def board(comparison: Comparison) -> str:
    """Returns the whole view of a comparison, as HTML."""
    return (
        '<section class="compare" data-compare><h2 class="unseen">Comparison</h2>'
        f"{verdict(comparison)}{columns(comparison)}{candidates_section(comparison)}{figures(comparison)}</section>"
    )


def explanation(searcher: Searcher) -> str:
    """Returns what the view shows before there is a query."""
    names = [WAY_WORDS[way.key].name for way in ways_compared(searcher.defaults)]
    against = (
        "the exact float32 answer"
        if searcher.manifest.has_baseline
        else "int8 over all vectors, since this index was built without its float32 vectors"
    )
    return (
        '<div class="invitation"><p class="lead">What does one bit per dimension lose?</p>'
        f"<p>Type a query above. It is searched in {len(names)} ways at once: {'; '.join(names)}. You see "
        "what each of them found, what it missed compared with "
        f"{against}, and the time and memory it took, measured now for your query.</p></div>"
    )


def verdict(comparison: Comparison) -> str:
    """Returns the sentence on top, the same for the other ways from bits, and the notes."""
    published, bits = comparison["published"], comparison["bits"]
    others = (
        f"Rescored as the 2024 demos did it, the bits keep {published.overlap}; alone they keep {bits.overlap}. "
        f"{counted(comparison.num_texts, 'distinct text')} compared, just now, on this machine.{_enough(comparison)}"
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in _notes(comparison))
    return f'<p class="verdict" role="status">{escaped(sentence(comparison))}</p><p class="others">{others}</p>{notes}'


def _enough(comparison: Comparison) -> str:
    """Returns a link to the slider of candidates, if there is one."""
    return "" if comparison.curve is None else f' <a href="#{ANCHOR}">How many candidates are enough?</a>'


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
        notes.append(f"{MISSING} Until then, overlap is counted against int8 over all vectors.")
    return notes


def _footnotes(comparison: Comparison) -> str:
    runs = {answer.num_runs for answer in comparison.answers if answer.num_runs}
    most, fewest = max(runs), min(runs)
    of_runs = f"{most}" if most == fewest else f"{fewest} to {most}"
    lines: tuple[str, ...] = (
        f"<strong>Time</strong> is from the query vector to the ranked texts, the median of {of_runs} runs with warm "
        "files and all cores; the quick ways alternate in rotating order, and a way whose work is part of "
        f"another's is never shown as slower. Encoding the query took {milliseconds(comparison.encode_ms)} ms, once "
        "for all ways; that and reading the texts of the results are not included.",
        "float32 and int8 are read from the system's file cache, block by block. A program that keeps them in its own "
        "memory saves a copy, and needs that memory: these scans keep nothing in this process, which now has "
        f"{data_size(comparison.rss_bytes)} in RAM in total (RSS).",
        "<strong>Memory</strong> is that of the vectors, calculated: one per distinct text. The model, the texts "
        "and the program come on top, and are the same for all ways.",
        f"Each way answers with distinct texts, at most {MAX_TOP_K} here; a text that ties with the last one of "
        f"{reference_name(comparison)} counts as found.",
    )
    lines += (_about_averages(comparison),)
    return f'<ul class="footnotes">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'


def _about_averages(comparison: Comparison) -> str:
    """Returns what the averages are over, which ways have none, and how to get them."""
    others = [each for each in comparison.answers if each.key != comparison.reference_key]
    averaged = next((each.average for each in others if each.average is not None), None)
    if averaged is None:
        return (
            "<strong>On average:</strong> not measured when this index was built: it has too few texts, or was built "
            "by an older version. In that case, rebuild it."
        )
    lacking = ", ".join(escaped(WAY_WORDS[each.key].name) for each in others if each.average is None)
    without = (
        f" Not measured with these settings: {lacking}. An older version measured fewer ways; rebuild the index to "
        "get the rest."
        if lacking
        else ""
    )
    return (
        f"<strong>On average</strong> is over {averaged.num_queries:,} texts of this corpus, used as queries when "
        "the index was built, each left out of its own answer. Texts are harder than questions in most corpora."
        f"{without}"
    )
