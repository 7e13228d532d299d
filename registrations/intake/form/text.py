"""Cleaning of typed and pasted text, the same for the page and for an imported cell."""

import re
import unicodedata

# Invisible characters that come with text copied from web pages and word processors.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\v\f]")
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def one_line(text: str) -> str:
    """Trimmed, with all whitespace, line breaks too, collapsed to single spaces.

    >>> one_line(" 5 Main\\u00a0St.\\r\\n ")
    '5 Main St.'
    """
    return " ".join(_without_controls(text).split())


def many_lines(text: str) -> str:
    """Trimmed, with LF for line breaks, so that a browser's CRLF counts once, and at most one empty line in a row.

    >>> many_lines("one \\r\\ntwo\\r\\n\\r\\n\\r\\n\\r\\nthree")
    'one\\ntwo\\n\\nthree'
    """
    text = _BLANKS.sub(" ", _without_controls(_BREAKS.sub("\n", text)))
    lines = (line.strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def folded(text: str) -> str:
    """Lower case without accents and periods, to compare names of places.

    >>> folded("Québec"), folded("D.C.")
    ('quebec', 'dc')
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    return one_line("".join(c for c in plain if not unicodedata.combining(c) and c != "."))


def _without_controls(text: str) -> str:
    text = text.translate(_INVISIBLE)
    # The callers handle line breaks and tabs; the field refuses NUL.
    return "".join(c for c in text if c in "\n\t\r\0" or unicodedata.category(c) not in ("Cc", "Cs"))
