"""What the values of a column are if they are not texts: numbers, dates, addresses, identifiers; and their words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_MOST = 0.8
"""A column is of a kind if this share of its values is."""
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,' ]*(e[-+]?\d+)?\s?[%€$£]?|[-+]?\.\d+|[-+]?(nan|inf|infinity)", re.IGNORECASE)
_DATE_SEPARATORS = re.compile(r"[\s,./:+-]+")
_DATE_PART = re.compile(
    r"\d{1,6}(?:st|nd|rd|th)?|am|pm|utc|gmt|z|\d{1,2}t\d{1,2}|\d{1,6}z"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?",
    re.IGNORECASE,
)
_LONGEST_DATE = 60
_ISO_DATE = re.compile(
    r"[-+]?\d{1,6}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\s?\d{1,2}[\d:.,+Zapmutcg -]*)?|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?",
    re.IGNORECASE,
)
_PATTERNS = (
    ("web addresses", re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)),
    ("e-mail addresses", re.compile(r"(?:mailto:)?[^\s@]+@[^\s@]+\.[^\s@]+")),
    ("numbers", _NUMBER),
    ("dates and times", _ISO_DATE),
    ("identifiers", re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)),
    ("hashes", re.compile(r"(?:sha\d+[:-]|md5[:-]|0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}", re.IGNORECASE)),
    ("paths", re.compile(r"(?:[a-z]:\\|~?/|\.{1,2}[/\\]|\\\\)[^\n]*|[^\s/\\]+(?:[/\\][^\s/\\]+)+", re.IGNORECASE)),
    (
        "lists of numbers",
        re.compile(r"[\[({]?\s*[-+]?[\d.][\d.e+-]*(?:[\s,;]+[-+]?[\d.][\d.e+-]*){3,}[\s,;\])}]*[-+]?"),
    ),
    ("file names", re.compile(r"[^\s/\\]+\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)),
)
_LOOKED_AT_CHARACTERS = 2_000
_NO_WORD = re.compile(r"[/\\@_=<>{}\[\]|#%+~^$:;]|-.*-")
_AROUND_WORDS = ".,;:!?\"'()[]{}<>«»„“”‘’…-–—*`#"  # noqa: RUF001 - the marks that people write
_LONGEST_WORD = 40


def kind_of_value(value: str) -> str | None:
    """Returns what a value is, such as `numbers`, None if it may be a text, or is blank."""
    value = value.strip()
    if not value:
        return None
    start = value[:_LOOKED_AT_CHARACTERS]
    if (kind := next((name for name, pattern in _PATTERNS if pattern.fullmatch(start)), None)) is not None:
        return kind
    if _is_date(value):
        return "dates and times"
    if value[0] in "[{" and _is_json(value):
        return "JSON"
    return None if num_words(value) else "codes"


def kind_of_column(values: Sequence[str]) -> str | None:
    """Returns what most of the values are that are not blank; None when they may be texts, or all are blank."""
    kinds = [kind_of_value(value) for value in values if value and not value.isspace()]
    if not kinds:
        return None
    if kinds.count(None) > (1 - _MOST) * len(kinds):
        return None
    return Counter(kind for kind in kinds if kind is not None).most_common(1)[0][0]


def num_words(value: str) -> int:
    """Returns how many words are in a text; in a script without spaces, a run of letters is one."""
    return len(_words(value))


def num_word_letters(value: str) -> int:
    """Returns how many letters the words of a text have in total."""
    return sum(map(len, _words(value)))


def _words(value: str) -> list[str]:
    tokens = value[:_LOOKED_AT_CHARACTERS].split()
    return [word for token in tokens if _is_word(word := token.strip(_AROUND_WORDS))]


def _is_word(token: str) -> bool:
    letters = sum(_is_letter(character) for character in token)
    if letters < max(1, 0.7 * len(token)):
        return False
    if not token.isascii() and sum(not character.isascii() for character in token) > len(token) / 2:
        return True  # of a script whose sentences may have no spaces
    return len(token) <= _LONGEST_WORD and not _NO_WORD.search(token) and not any(map(str.isdigit, token))


def _is_letter(character: str) -> bool:
    """Combining marks are letters too: without them, no word of Hindi or Thai would be one."""
    return character.isalpha() or unicodedata.category(character).startswith("M")


def _is_date(value: str) -> bool:
    """Tells whether a value is a date with names of months or days in it, such as `Mon, 4 Mar 2024`."""
    if len(value) > _LONGEST_DATE or not any(map(str.isdigit, value)):
        return False
    parts = [part for part in _DATE_SEPARATORS.split(value) if part]
    return len(parts) > 1 and all(_DATE_PART.fullmatch(part) for part in parts)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
