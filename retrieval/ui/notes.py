"""The notes above the views: where the settings come from, how far the next index is, and silent engines."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import gradio as gr

from retrieval.bundle.manifest import Manifest
from retrieval.errors import RetrievalError
from retrieval.search.searcher import Searcher
from retrieval.serving.background.index import BackgroundIndex, BackgroundStatus, FetchJob
from retrieval.serving.library import Library
from retrieval.ui.markup import error_words, escaped
from retrieval.ui.theme import QUIET

DEFAULT_NOTE = "This is the small default index: the documented functions of the Python that runs here."
CONALA_HINT = (
    "For the 593,891 Stack Overflow snippets of CoNaLa, run `make conala`: it reads them from the Hugging Face hub "
    "and serves them."
)
_LOOK_S = 2.0
_PHASES = {
    "reading": "reading the documents",
    "encoding": "encoding",
    "writing": "writing the files",
    "tuning": "choosing the search settings",
    "fetching": "fetching",
    "checking": "checking the files",
}


def defaults_note(manifest: Manifest) -> str:
    """Returns, as HTML, where the candidates and the multiplier of an index come from."""
    return f'<p class="defaults-note">{_settings_origin(manifest)}</p>'


def _settings_origin(manifest: Manifest) -> str:
    tuning = manifest.tuning
    if tuning is None and manifest.search.get("source") == "default":
        return "Candidates and multiplier are the program's defaults: nothing was measured on this index."
    if tuning is None:
        return "This index does not say how its candidates and multiplier were chosen."
    missed = "" if tuning.reached else "; no setting reached that"
    return (
        f"Candidates and multiplier were chosen when this index was built, with {tuning.sampled_queries:,} of its "
        f"texts as queries, to find {100 * tuning.target_share:g} % of what rescoring all int8 vectors would{missed}."
    )


def background_note(status: BackgroundStatus) -> str:
    """Returns the status as a banner, with a progress bar if the share that is done is known."""
    bar = way = ""
    if status.child.fraction is not None and not status.is_settled:
        value, label = status.child.fraction, escaped(status.child.phase)
        bar = f' <progress value="{value:.3f}" max="1" aria-label="{label}"></progress>'
    if status.index_name is not None:
        way = f' <a href="?index={quote(status.index_name, safe="")}">Search it</a>'
    kind = ' data-kind="error"' if status.has_failed else ""
    return f'<p class="banner" role="status"{kind}>{escaped(background_words(status))}{bar}{way}</p>'


def background_words(status: BackgroundStatus) -> str:
    """Returns how far an index in the background is, in one or two sentences."""
    job, child = status.job, status.child
    label = f"The index {job}" if isinstance(job, FetchJob) else f"The index of {job}"
    if status.index_name is not None:
        revision = child.result.get("revision")
        return f"{label} is ready{f' (revision {revision})' if revision else ''}."
    if status.has_failed:
        return f"{label} is not available: {_failure(status).rstrip('.')}. This page keeps its current index."
    if child.state != "running" or child.phase == "starting":
        return f"{label} is being prepared in the background."
    parts = [_PHASES.get(child.phase, child.phase)]
    if child.fraction is not None:
        parts.append(f"{100 * child.fraction:.0f} %")
    if child.seconds_left is not None:
        parts.append(f"{about(child.seconds_left)} left")
    made = "fetched" if isinstance(job, FetchJob) else "built"
    return f"{label} is being {made} in the background: {', '.join(parts)}. It takes over when it is ready."


def _failure(status: BackgroundStatus) -> str:
    child = status.child
    match child.failure:
        case "error":
            return child.message
        case "not started":
            return f"no process can be started ({child.message})"
        case "silence":
            return f"it has not answered for {status.max_silence_s:.0f} s"
        case "died":
            return f"its process ended with {child.exit_status}; see the log"
        case _:
            return f"unexpectedly, {child.message or 'memory ran out'}: see the log"


def about(seconds: float) -> str:
    """Returns a duration for people: `about 40 s`, `about 12 min`, `about 2.5 h`."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5)):.0f} s"
    if seconds < 5_400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3_600:.1f} h"


def place_background_note(page: gr.Blocks, index: BackgroundIndex) -> None:
    """Places the note, which is polled until there is nothing left to wait for."""
    note = gr.HTML(background_note(index.status), elem_id="background-note", apply_default_css=False)
    timer = gr.Timer(_LOOK_S)

    def look_up() -> tuple[str, Any]:
        status = index.status
        return background_note(status), gr.Timer(active=not status.is_settled)

    gr.on([page.load, timer.tick], look_up, None, [note, timer], **QUIET)


def engine_note(searchers: tuple[Searcher, ...]) -> str:
    """Returns, as HTML, which engines do not answer; empty while all do."""
    notes = []
    for searcher in searchers:
        try:
            searcher.store.raise_if_failed()
        except RetrievalError as error:
            words = f"{error_words(error)} This page continues by itself when it is back."
            notes.append(f'<p class="banner" role="status" data-kind="error">{escaped(words)}</p>')
    return "".join(notes)


def place_engine_note(page: gr.Blocks, library: Library) -> list[Any]:
    """Places the note if an index is kept in another engine.

    Returns the events for when such an engine stops answering or answers again.
    """
    if not library.engines():
        return []
    note = gr.HTML("", elem_id="engine-note", apply_default_css=False)
    timer = gr.Timer(_LOOK_S)
    gr.on([page.load, timer.tick], lambda: engine_note(library.engines()), None, note, **QUIET)
    return [note.change]
