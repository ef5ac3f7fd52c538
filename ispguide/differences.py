"""A unified difference as HTML, with the words that changed marked.

Pure; everything is escaped, because a server may be hostile.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from html import escape

_WORDS = re.compile(r"\s+|[\w.@-]+|.")


def to_html(text: str) -> str:
    """Lines that go in <del>, lines that come in <ins>, changed words in <mark>."""
    lines, out = text.splitlines(), list[str]()
    while lines:
        gone = list(_taken(lines, "-"))
        come = list(_taken(lines, "+"))
        if gone or come:
            out += _block(gone, come)
        else:
            out.append(escape(lines.pop(0)) + "\n")
    return "".join(out)


def _taken(lines: list[str], sign: str) -> Iterator[str]:
    while lines and lines[0].startswith(sign):
        yield lines.pop(0)


def _block(gone: list[str], come: list[str]) -> list[str]:
    # The head of a difference (---, +++) names files; it holds no words to compare.
    paired = list(zip(gone, come, strict=False)) if not _is_head(gone) else []
    marked = [_words(old, new) for old, new in paired]
    left = [m[0] for m in marked] + [escape(g) for g in gone[len(marked) :]]
    right = [m[1] for m in marked] + [escape(c) for c in come[len(marked) :]]
    gone_html = [f"<del>{x}</del>\n" for x in left]
    return gone_html + [f"<ins>{x}</ins>\n" for x in right]


def _is_head(gone: list[str]) -> bool:
    return bool(gone) and gone[0].startswith("---")


def _words(old: str, new: str) -> tuple[str, str]:
    """Both lines, what differs between them marked; signs stay outside."""
    a, b = _WORDS.findall(old[1:]), _WORDS.findall(new[1:])
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    left, right = ["-"], ["+"]
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        left.append(_mark("".join(a[i1:i2]), op != "equal"))
        right.append(_mark("".join(b[j1:j2]), op != "equal"))
    return "".join(left), "".join(right)


def _mark(text: str, changed: bool) -> str:
    return f"<mark>{escape(text)}</mark>" if changed and text else escape(text)
