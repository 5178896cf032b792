"""The border between untrusted text and HTML. Everything that reaches the page as HTML comes through here."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/:'\"]+/)+(?=[^\s/:'\"])")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_MINUS = "\N{MINUS SIGN}"


def escaped(text: object) -> str:
    """Returns `text` without anything that HTML, or sending it to the browser, would choke on."""
    printable = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text))
    # A lone surrogate cannot be sent as UTF-8: the whole answer would fail on it.
    return html.escape(printable.encode("utf-8", "replace").decode("utf-8"))


def error_words(error: Exception) -> str:
    """Returns the message of an error as a sentence for visitors, without the server's folders."""
    return as_sentence(_FOLDERS.sub("", str(error)))


def as_sentence(message: str) -> str:
    """Returns a message with a capital first letter, unless it begins with a file name."""
    first_word = message.split(maxsplit=1)[0] if message.strip() else ""
    return message[:1].upper() + message[1:] if first_word.isalpha() else message


def shortened(text: str, max_chars: int) -> str:
    """Returns the beginning of `text`, with a word about what is missing."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}\n… {len(text) - max_chars:,} more characters"


def one_line(text: str, max_chars: int) -> str:
    """Returns the words of `text` on one line of at most `max_chars`, with an ellipsis if it was longer."""
    line = " ".join(text.split())
    return line if len(line) <= max_chars else f"{line[: max_chars - 1]}…"


def safe_url(url: str | None) -> str | None:
    """Returns `url`, ready for an attribute, if it is a plain web address; None for `javascript:` and friends."""
    if not url or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return None
    return escaped(url)


def link(url: str | None, label: str) -> str:
    """Returns a link that opens in a new tab, or the bare label if `url` cannot be linked."""
    address = safe_url(url)
    if address is None:
        return escaped(label)
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{escaped(label)}</a>'


def host_of(url: str | None) -> str:
    """Returns the host of a web address, for people; empty if there is none."""
    if safe_url(url) is None:
        return ""
    return (urlsplit(url or "").hostname or "").removeprefix("www.")


def wide_table(heads: Sequence[str], rows: str, label: str, css_class: str = "") -> str:
    """Returns a table that scrolls sideways if it does not fit; `heads` and `rows` are HTML, `label` names it."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    named = f' class="{css_class}"' if css_class else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escaped(label)}"><table{named}><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def folded(title: str, html: str) -> str:
    """Returns HTML that opens on a click on its title."""
    return f"<details><summary>{escaped(title)}</summary>{html}</details>"


def data_size(size_bytes: int) -> str:
    """Returns a size in decimal units: `28.5 MB`."""
    value = float(size_bytes)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    digits = 0 if unit == "B" or value >= 99.95 else 1
    return f"{value:,.{digits}f} {unit}"


def milliseconds(value_ms: float) -> str:
    """Returns a duration with about three digits: `0.04`, `3.21`, `14.0`, `120`."""
    digits = 2 if value_ms < 9.995 else 1 if value_ms < 99.95 else 0
    return f"{value_ms:,.{digits}f}"


def signed(value: float, digits: int) -> str:
    """Returns a number with its sign and this many decimals: `+0.1346`."""
    return f"{value:+.{digits}f}".replace("-", _MINUS)


def whole(value: int) -> str:
    """Returns a whole number, with a true minus sign if it is below 0."""
    return f"{value:,}".replace("-", _MINUS)


def message(title: str, text: str, *, is_error: bool = False) -> str:
    """Returns a box that says what happened and what to do."""
    role, kind = ("alert", "error") if is_error else ("status", "info")
    return f'<div class="message {kind}" role="{role}"><strong>{escaped(title)}</strong><p>{escaped(text)}</p></div>'
