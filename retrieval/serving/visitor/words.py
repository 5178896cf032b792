"""Messages of the engine in the words of a page: a visitor knows no paths of the server, and no options."""

from __future__ import annotations

import re
from pathlib import Path

OUT_OF_MEMORY = "There is not enough memory to work on this file here: use fewer rows, or shorter texts."
_ASIDE = re.compile(r" \([^()]*--[a-z][a-z-]+[^()]*\)")
"""What is said in parentheses for the terminal."""
_OPTION = re.compile(r"(?:with )?--(text|body|url|group|quality)-column")
_NOT_HERE = (
    "; it goes on where it was",
    ", a folder written by save_to_disk, or a hub id (owner/name)",
)
_SAID_OTHERWISE = {
    "run the same command again": "try again",
    "the corpus 'file'": "the file",
}


def for_visitors(message: str, folder: Path) -> str:
    """Returns a message with the paths in `folder` cut down to names, and options told as what the page calls them."""
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


def as_sentence(message: str) -> str:
    """Returns a message with a capital letter in front, unless it begins with a name of a file."""
    first_word = message.split(maxsplit=1)[0] if message.strip() else ""
    return message[:1].upper() + message[1:] if first_word.isalpha() else message
