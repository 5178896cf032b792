"""Notes on a query: what the model did not read, or did not know."""

from __future__ import annotations

import unicodedata

from retrieval.encoding.encoder import CountsUnknown, Encoder

_MOST_KNOWN_CHARS = 100
"""Tokenizers give up on longer words; shorter ones in ASCII they can always spell."""
_HALF = 0.5


def query_notes(encoder: Encoder, text: str) -> tuple[str, ...]:
    """Returns the notes on a query, usually none: that it was cut, or means little to the model."""
    notes = []
    if cut := encoder.num_tokens_cut(text):
        notes.append(f"The query is long: its last {cut:,} tokens are beyond the model's length and were not read.")
    if not text.isascii() or len(text) > _MOST_KNOWN_CHARS:
        notes.extend(_on_meaning(encoder, text))
    return tuple(notes)


def _on_meaning(encoder: Encoder, text: str) -> list[str]:
    if isinstance(encoder, CountsUnknown):
        unknown, total = encoder.num_tokens_unknown(text)
        if total and unknown >= _HALF * total:
            known = "none of the query" if unknown == total else f"only {total - unknown:,} of {total:,} tokens"
            return [f"The model's vocabulary has {known}: these results mean little, however high their scores."]
    if not is_multilingual(encoder.model_id) and foreign_share(text) >= _HALF:
        return [
            "Most of the query is not in Latin letters, and this model was trained on English: these results may mean "
            "little, however high their scores."
        ]
    return []


def is_multilingual(model_id: str) -> bool:
    """Returns whether the name of a model says that it is one for many languages."""
    return "multilingual" in model_id.lower()


def foreign_share(text: str) -> float:
    """Returns the share, from 0 to 1, of the letters of `text` that are not Latin ones; 0 if it has no letters."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(not unicodedata.name(letter, "").startswith("LATIN") for letter in letters if not letter.isascii())
    return foreign / len(letters) if letters else 0.0
