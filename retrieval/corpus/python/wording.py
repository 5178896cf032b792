"""Turns a docstring into the text that is searched and the body that is shown."""

from __future__ import annotations

import inspect
import re
import textwrap

MAX_TEXT_CHARS = 400
MAX_TYPE_WORDS = 3
"""The text after the arrow of a signature is a type up to this length, and prose beyond."""
MAX_BODY_LINES = 60
MAX_BODY_CHARS = 4000
CUT_MARK = "# ... (cut)"
POINTERS = re.compile(r"(Scalar method identical to|See |Alias for field number)", re.IGNORECASE)
"""The beginnings of docstrings that only point somewhere else."""

_ROLE = re.compile(r":[a-z:]+:`~?!?([^`<]*?)(?:\s*<[^`>]*>)?`")
_LINK = re.compile(r"`([^`<]+?)\s*<[^`>]*>`_+")
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]\"'][.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z])")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])|_+")
_CALL = re.compile(r"(?:\w+ = )?(?P<name>[\w.]+)\s*\(")
_ARROW = re.compile(r"\s*(?:-+>|=>)\s*")
_VALUE = re.compile(r"\A(?:None\.|\w+ --)\s+")  # `-> None.  Remove all items`, `-> integer -- return the number of ...`
_GAP = re.compile(r"\A(?:[ \t]*-*[ \t]*\n)+")  # blank lines, and the `--` between signature and text
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
# What `datetime` writes as a signature: `str -> Construct a date from ...`, `[sep] -> string in ...`.
_ARGUMENTS = re.compile(r"\[?\w+\]?(?:[ \[]*,[ \[]*\w+\]*)*\s*->\s+")
_BOLD = re.compile(r"\*\*(\w[^*]*)\*\*")
_DIRECTIVE = re.compile(r"^\.\. ")
_UNDERLINE = re.compile(r"^([=\-~^*#])\1{2,}$")


def readable(doc: str) -> str:
    """Returns a docstring without indentation, and without characters that cannot be encoded."""
    return inspect.cleandoc(doc.encode("utf-8", "replace").decode("utf-8"))


def summary(doc: str, name: str) -> str | None:
    """Returns the first sentence of the first paragraph that says something, on one line and without markup.

    More than a sentence blurs the meaning: of sixty questions, the answer came first for 35 with whole
    paragraphs and for 38 with sentences.

    Args:
        doc: a docstring.
        name: the last part of the object's name, by which a leading signature is recognized.
    """
    for paragraph in re.split(r"\n\s*\n", without_signature(readable(doc), name)):
        lines = paragraph.strip().split("\n")
        if len(lines) > 1 and _UNDERLINE.match(lines[1].strip()):
            return None  # the sections begin: there was no summary
        plain = without_markup(" ".join(paragraph.split()))
        arguments = _ARGUMENTS.match(plain)
        plain = plain[arguments.end() if arguments else 0 :].lstrip("->:=. ")
        is_code = paragraph.lstrip("\n").startswith(" ")
        if not plain or is_code or _DIRECTIVE.match(paragraph.strip()) or plain.strip(".") in {name, "None"}:
            continue
        return None if POINTERS.match(plain) else _first_sentence(plain)
    return None


def _first_sentence(plain: str) -> str:
    first, *others = _SENTENCE_END.split(plain, maxsplit=2)
    return f"{first} {others[0]}" if others and " " not in first else first  # "x. Generates an int with k random bits."


def without_signature(doc: str, name: str) -> str:
    """Returns the docstring after the signatures that functions written in C begin with.

    `max(iterable) -> value`, `S.find(sub[, start]) -> int` and signatures over several lines are removed. The text
    after the arrow is kept if it is all there is, or if it is the sentence itself, as in
    `D.pop(k[,d]) -> v, remove the key and return its value`.
    """
    rest, said, apart = doc, [], False
    while (end := _end_of_signature(rest, name)) is not None:
        arrow = _ARROW.match(rest, end)
        tail, _, rest = rest[arrow.end() if arrow else end :].partition("\n")
        while arrow and rest[:1] == " ":  # the value continues in the next line
            more, _, rest = rest.partition("\n")
            tail = f"{tail} {more.strip()}"
        said.append(_VALUE.sub("", tail.strip()))
        apart = _GAP.match(rest) is not None
        rest = _GAP.sub("", rest, count=1)
    rest = textwrap.dedent(rest)
    if len(said) == 1 and _is_prose(said[0], complete=apart):
        return f"{said[0]}\n\n{rest}" if apart else f"{said[0]}\n{rest}"
    return rest or ". ".join(dict.fromkeys(filter(None, said)))


def _is_prose(said: str, *, complete: bool) -> bool:
    """Returns whether the text after the arrow of a signature says what is done, not just the type.

    Args:
        said: the line after the arrow.
        complete: whether a blank line follows, so that the line must be a sentence by itself.
    """
    if len(said.split()) <= MAX_TYPE_WORDS or re.fullmatch(r"\(.*\)\.?", said):
        return False
    return not complete or said.endswith(".") or ", " in said or " -- " in said


def _end_of_signature(doc: str, name: str) -> int | None:
    """Returns where the signature at the start of `doc` ends, or None if there is none."""
    call = _CALL.match(doc)
    if call is None:
        return None
    depth = 0
    for position in range(call.end() - 1, len(doc)):
        depth += _BRACKETS.get(doc[position], 0)
        if depth == 0:
            # A different name is an alias, if an arrow shows that this is a signature at all.
            own = call["name"].rpartition(".")[2] == name
            return position + 1 if own or _ARROW.match(doc, position + 1) else None
    return None


def without_markup(line: str) -> str:
    """Returns a line of reStructuredText as plain words."""
    line = _BOLD.sub(r"\1", _LINK.sub(r"\1", _ROLE.sub(r"\1", line)))
    return line.replace("``", "").replace("`", "").strip()


def text_of(name: str, sentence: str) -> str:
    """Returns the text that is embedded: the name, what it does, and a compound name's words.

    The model reads `read_csv` as syllables, and `read csv` as in a question: with the words appended, the
    answer came first for 41 of the sixty questions.
    """
    last = name.rpartition(".")[2]
    words = _WORD_START.sub(" ", last).strip().lower()
    behind = f" ({words})" if " " in words else ""
    return shortened(f"{name}: {sentence}", MAX_TEXT_CHARS - len(behind)) + behind


def shortened(text: str, limit: int) -> str:
    """Returns the text cut after a sentence, or else after a word, to at most `limit` characters."""
    if len(text) <= limit:
        return text
    sentence = text.rfind(". ", limit // 2, limit)
    if sentence >= 0:
        return text[: sentence + 1]
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def stub_of(name: str, kind: str, signature: str | None, doc: str) -> str:
    """Returns what can be shown of an object without Python source: a definition with its docstring."""
    keyword = "class" if kind == "class" else "def"
    decorator = "@property\n" if kind == "property" else ""
    parameters = signature or ("" if kind == "class" else "(self)" if kind == "property" else "(...)")
    return f"{decorator}{keyword} {name}{parameters}:\n{textwrap.indent(docstring_of(doc), '    ')}"


def docstring_of(doc: str) -> str:
    """Returns a docstring as it would be in source."""
    said = readable(doc)
    quotes = "'''" if '"""' in said else '"""'
    ending = "\n" if "\n" in said else ""
    return f"{quotes}{said}{ending}{quotes}"


def capped(body: str) -> str:
    """Returns the body without its common indentation, cut to a size that fits a page, with a mark at the cut."""
    lines = inspect.cleandoc("\n" + body).split("\n")
    kept, size = [], 0
    for line in lines[:MAX_BODY_LINES]:
        size += len(line) + 1
        if size > MAX_BODY_CHARS:
            break
        kept.append(line)
    if len(kept) == len(lines):
        return "\n".join(kept)
    return "\n".join([*kept, CUT_MARK])
