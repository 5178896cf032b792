"""The steps of a visitor's build, as HTML: what may be uploaded, what was found in it, how far the build is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.errors import counted
from retrieval.serving.child_process import JobStatus
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.markup import data_size, escaped
from retrieval.ui.request_limits import MAX_PASTED_BYTES

_PHASES = (
    ("starting", "Starting a process for your data"),
    ("model", "Opening the model"),
    ("reading", "Reading the rows"),
    ("encoding", "Turning texts into vectors"),
    ("writing", "Writing bits and int8 codes"),
    ("tuning", "Measuring what quantization costs on your data"),
)
_NAMES = dict(_PHASES)
_CELL_CHARS = 140


def promise() -> str:
    """Returns what this view is for, and what happens to an upload."""
    return (
        '<div class="own-intro"><h2>What would quantization cost on your data?</h2>'
        '<p class="own-privacy">Only you can see your data. It is deleted when you delete it, or close or reload '
        "this page.</p></div>"
    )


def introduction(limits: OwnLimits) -> str:
    """Returns what happens to the data, and what may be uploaded."""
    return (
        f'<div class="own-intro" data-max-bytes="{limits.max_bytes}">'
        "<p>Upload texts and watch an index being built from them: bits in memory, int8 codes on disk. Then search it, "
        "compare it with float32, see what each stage loses, and download the index.</p>"
        "<ul><li>texts: CSV, TSV, JSON, Excel (.xlsx), Parquet, Arrow, SQLite, Markdown, or text with one document per "
        "line; also compressed (.gz, .zip, .bz2, .xz, .zst)</li>"
        "<li>or your vectors, without texts: .npy, .npz, .fvecs, or a list column in Parquet, Arrow or JSON; the "
        "frontier says how much precision they need, and which settings to give your database</li>"
        f"<li>up to <strong>{data_size(limits.max_bytes)}</strong>, or "
        f"<strong>{data_size(min(limits.max_bytes, MAX_PASTED_BYTES))}</strong> of pasted text; the first "
        f"<strong>{counted(limits.max_rows, 'row')}</strong> are used; a build may take "
        f"<strong>{counted(limits.max_seconds, 'second')}</strong></li>"
        f"<li>{_together(limits.num_slots)} on this server, one per visitor; others wait in line</li></ul></div>"
    )


def _together(num_slots: int) -> str:
    return "one build at a time" if num_slots == 1 else f"{num_slots} builds at a time"


def switched_off() -> str:
    """Returns what the view shows when the operator has turned builds off."""
    return (
        '<div class="own-intro"><h2>Your data</h2><p>Building an index from your own texts is turned off on this '
        "server. Run the program on your machine to do it: <code>python app.py</code>.</p></div>"
    )


def looking(title: str) -> str:
    """Returns the note that a file is being read."""
    return f'<p class="own-busy" role="status">Reading {escaped(title)} …</p>'


def preview(title: str, size_bytes: int, looked: Mapping[str, Any], limits: OwnLimits) -> str:
    """Returns the first rows of a table, the guessed columns first."""
    columns, rows = looked["columns"], looked["rows"]
    shown = list(rows[0]) if rows else []
    role_of = {column: role for role, column in looked["guesses"].items()}
    head = "".join(f'<th scope="col">{escaped(name)}{_role(role_of.get(name))}</th>' for name in shown)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row[name])}</td>' for name in shown)}</tr>" for row in rows)
    more = len(columns) - len(shown)
    hidden = f" {counted(more, 'more column')} not shown." if more else ""
    return (
        f'<section class="own-preview"><h3>{escaped(title)}</h3>'
        f"<p>{_extent(size_bytes, looked['num_rows'], limits)}</p>"
        f"{_notes(looked.get('notes', ()))}"
        f"<p>The first {counted(len(rows), 'row')}:{hidden}</p>"
        f'<div class="own-table" tabindex="0" role="region" aria-label="The first rows"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _notes(notes: Sequence[str]) -> str:
    """Returns how the file was read and which column was used for what, as in the terminal."""
    items = "".join(f"<li>{escaped(note)}</li>" for note in notes)
    return f'<ul class="own-notes">{items}</ul>' if items else ""


def _extent(size_bytes: int, num_rows: int | None, limits: OwnLimits) -> str:
    if num_rows is None:
        return f"{data_size(size_bytes)}."
    extent = f"{data_size(size_bytes)}, {counted(num_rows, 'row')}."
    if num_rows > limits.max_rows:
        return f"{extent} <strong>Only the first {limits.max_rows:,} will be used.</strong>"
    return extent


def _role(role: str | None) -> str:
    return f"<small>used as {role}</small>" if role else ""


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return escaped(text if len(text) <= _CELL_CHARS else f"{text[:_CELL_CHARS]}…")


def progress(status: JobStatus, limits: OwnLimits, place: int = 0) -> str:
    """Returns how far a build is: its phases, the progress bar of the current one, and the time.

    Args:
        place: how many builds are ahead of it while it waits.
    """
    if status.state == "waiting":
        return _waiting(place)
    reached = next((number for number, (name, _) in enumerate(_PHASES) if name == status.phase), 0)
    items = "".join(
        f'<li class="{_state(number, reached)}"{_current(number, reached)}>{label}</li>'
        for number, (_, label) in enumerate(_PHASES)
    )
    return (
        f'<section class="own-progress"><h3>{_NAMES.get(status.phase, _PHASES[0][1])}</h3>{_bar(status)}'
        f'<p class="own-figures">{_figures(status, limits)}</p><ol>{items}</ol></section>'
    )


def measuring(status: JobStatus, limits: OwnLimits, place: int = 0) -> str:
    """Returns how far the measurement of a frontier is; `place` is how many jobs are ahead of it while it waits."""
    if status.state == "waiting":
        return _waiting(place)
    parts = [] if status.fraction is None else [f"<strong>{status.fraction:.0%}</strong>"]
    return (
        '<section class="own-progress"><h3>Measuring every scheme on your vectors</h3>'
        f'{_bar(status)}<p class="own-figures">{" · ".join([*parts, *_time(status, limits)])}</p></section>'
    )


def _waiting(place: int) -> str:
    before = "Yours is next." if place <= 1 else f"{counted(place, 'build')} ahead of yours."
    return (
        '<section class="own-progress"><h3>Waiting for a turn</h3>'
        f'<p class="own-figures" role="status">Builds run one after the other, so that searches stay fast. {before}'
        "</p></section>"
    )


def _bar(status: JobStatus) -> str:
    share = status.fraction
    if share is None:
        return '<div class="own-bar unknown" role="progressbar" aria-label="Progress of this phase"><i></i></div>'
    percent = round(100 * share)
    return (
        f'<div class="own-bar" role="progressbar" aria-label="Progress of this phase" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
    )


def _figures(status: JobStatus, limits: OwnLimits) -> str:
    parts = []
    if status.fraction is not None:
        parts.append(f"<strong>{status.fraction:.0%}</strong>, {status.done:,} of {status.total:,}")
    elif status.done:
        parts.append(f"{status.done:,}")
    return " · ".join([*parts, *_time(status, limits)])


def _time(status: JobStatus, limits: OwnLimits) -> list[str]:
    parts = []
    if status.seconds_left is not None:
        parts.append(f"about {counted(max(1, math.ceil(status.seconds_left)), 'second')} left in this phase")
    return [*parts, f"{status.elapsed_s:.0f} s of at most {limits.max_seconds:,} s"]


def _state(number: int, reached: int) -> str:
    return "done" if number < reached else "now" if number == reached else "ahead"


def _current(number: int, reached: int) -> str:
    return ' aria-current="step"' if number == reached else ""
