"""Syntax highlighting on the server: the page needs no script and no library for it."""

from __future__ import annotations

from functools import lru_cache

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from retrieval.ui.markup import escaped, shortened

MAX_CHARS = 10_000
"""More than this of one body is not sent to the browser."""
_MAX_COLOURED_CHARS = 4_000
"""Highlighting takes about 3 ms per 1,000 characters of long functions: beyond this, code is sent plain."""

_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_FORMATTER = HtmlFormatter(nowrap=True, classprefix="t-")


@lru_cache(maxsize=2048)
def highlighted(code: str, language: str | None) -> str:
    """Returns `code` as escaped HTML, coloured when the language is known."""
    shown = shortened(code.strip("\r\n").replace("\r\n", "\n"), MAX_CHARS)
    if language != "python" or len(shown) > _MAX_COLOURED_CHARS:
        return escaped(shown)
    coloured: str = highlight(shown, _LEXER, _FORMATTER)
    return coloured.removesuffix("\n")  # the formatter ends every line, including the last
