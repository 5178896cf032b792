"""The prefixes that a model expects before a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prefixes that a model expects before a text."""

    query: str = ""
    document: str = ""

    @classmethod
    def of(cls, prompts: Mapping[str, str | None]) -> Self:
        """Returns the prompts of a model's configuration, which names them.

        They are those of `encode_query` and `encode_document` of sentence-transformers, which leave
        `default_prompt_name` to `encode`. Its search for "document", "passage" and "corpus", in this order, is meant to
        find the first that is configured; 6.2 stops at an empty "document", which it adds itself.
        """
        document = next((text for name in _DOCUMENT_PROMPTS if (text := prompts.get(name))), "")
        return cls(query=prompts.get("query") or "", document=document)
