"""Messages of the engine in the words of a page: a visitor knows no paths of the server, and no options."""

from __future__ import annotations

import re
from pathlib import Path

_OPTION = re.compile(r"(?:with )?--(text|body|url|group|quality)-column")


def for_visitors(message: str, folder: Path) -> str:
    """Returns a message with the paths in `folder` cut down to names, and options told as what the page calls them."""
    message = message.replace(f"{folder}/", "").replace(str(folder), "the folder of this visit")
    message = _OPTION.sub(r"as the \1 column", message)
    message = message.replace("run the same command again", "try again").replace("; it goes on where it was", "")
    return message[:1].upper() + message[1:]
