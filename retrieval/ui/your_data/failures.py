"""Why a visitor's data could not be processed, in words: visitors know neither the server's paths nor its options."""

from __future__ import annotations

import re
from pathlib import Path

from retrieval.serving.child_process import JobStatus
from retrieval.ui.markup import as_sentence

OUT_OF_MEMORY = "There is not enough memory to work on this file here: use fewer rows, or shorter texts."
_UNEXPECTED = "Something went wrong with this file on the server and was logged. Other files may still work."
_KILLED = -9
_ASIDE = re.compile(r" \([^()]*--[a-z][a-z-]+[^()]*\)")
"""What is said in parentheses for the terminal."""
_OPTION = re.compile(r"(?:with )?--(text|body|url|group|quality)-column")
_NOT_HERE = (
    "; it continues where it stopped",
    ", a folder written by save_to_disk, or a hub id (owner/name)",
)
_SAID_OTHERWISE = {
    "run the same command again": "try again",
    "the corpus 'file'": "the file",
}


def for_visitors(message: str, folder: Path) -> str:
    """Returns a message with the paths in `folder` cut down to names, and options as the page calls them."""
    if "malloc of size" in message:  # Arrow's way to say it
        return OUT_OF_MEMORY
    message = message.replace(f"{folder}/", "").replace(str(folder), "the folder of this visit")
    message = _ASIDE.sub("", message)
    message = _OPTION.sub(r"as the \1 column", message)
    for phrase in _NOT_HERE:
        message = message.replace(phrase, "")
    for ours, theirs in _SAID_OTHERWISE.items():
        message = message.replace(ours, theirs)
    return as_sentence(message)


def why_failed(status: JobStatus, folder: Path, max_seconds: float) -> str:
    """Returns why a job failed, and what to do."""
    match status.failure:
        case "error":
            return for_visitors(status.message, folder)
        case "memory":
            return OUT_OF_MEMORY
        case "timeout":
            return _why_stopped(status, max_seconds)
        case "died" if status.exit_status == _KILLED:
            return "The system stopped the process, probably because memory ran out: use fewer rows, or shorter texts."
        case "died":
            return (
                f"The process ended unexpectedly (status {status.exit_status}): try again, with fewer rows or another "
                "file."
            )
        case "not started":
            return f"The process could not be started: {status.message}. Try again later."
        case _:
            return _UNEXPECTED


def _why_stopped(status: JobStatus, max_seconds: float) -> str:
    if status.phase == "looking":
        return f"The file could not be read in {max_seconds:,.0f} s: upload a smaller one, or another format."
    stopped = f"Stopped after {max_seconds:,.0f} s, the limit for a build here"
    if status.phase == "encoding" and status.total and status.done:
        return (
            f"{stopped}: {status.done:,} of {status.total:,} texts were encoded by then. "
            f"Use the first {_rounded_down(status.done):,} rows or so, or shorter texts."
        )
    return f"{stopped}. Use fewer rows, or shorter texts."


def _rounded_down(count: int) -> int:
    """Returns about nine tenths of a count, as a round number: the rest of the build needs time, too."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return max(step, count * 9 // 10 // step * step)
