"""Lines put together from styled parts, so that text is measured and cut before it is
coloured: an escape sequence has no width, and must not be cut apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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


def painted(output: Output, parts: Iterable[Styled], limit: int | None = None) -> str:
    """Return styled parts as a line, cut at the limit if there is one."""
    shown = parts if limit is None else _fitting(parts, limit)
    if not output.color:
        return "".join([text for text, _ in shown]).rstrip()
    texts = [
        output.style(text, style) if style and text else text for text, style in shown
    ]
    return "".join(texts).rstrip()


def _fitting(parts: Iterable[Styled], limit: int) -> Iterator[Styled]:
    """Yield parts as far as they fit; a line that is cut ends with an ellipsis."""
    for text, style in parts:
        shown = cut(text, limit)
        limit -= width(shown)
        yield shown, style
