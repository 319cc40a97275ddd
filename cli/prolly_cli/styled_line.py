"""Lines put together from styled parts, so that text is measured and cut before it is
coloured: an escape sequence has no width, and must not be cut apart."""

from __future__ import annotations

from .display_width import cut, width
from .output import Output
from .word_difference import Spans

# A text that may be printed, and a style of ``output.STYLES`` or none.
Styled = tuple[str, str]


def marked(spans: Spans, kind: str) -> list[Styled]:
    """Return the parts of a cell: what changed in bold if anything did not."""
    if all(one.changed for one in spans):
        return [(one.text, kind) for one in spans]
    return [(one.text, f"{kind}-word" if one.changed else "") for one in spans]


def painted(output: Output, parts: list[Styled], *, color: bool) -> str:
    """Return a line of styled parts."""
    if not color:
        return "".join(text for text, _ in parts).rstrip()
    return "".join(output.style(text, kind) if kind else text for text, kind in parts)


def painted_line(output: Output, parts: list[Styled], limit: int | None) -> str:
    """Return styled parts as a line, cut at the limit if there is one."""
    shown: list[str] = []
    for text, style in parts:
        if limit is not None:
            text = cut(text, limit)
            limit -= width(text)
        if text:
            shown.append(output.style(text, style) if style else text)
    return "".join(shown).rstrip()
