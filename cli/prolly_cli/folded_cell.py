"""A cell cut to a width so that what changed in it stays visible."""

from __future__ import annotations

from .display_width import ELLIPSIS, cut, head, tail, width
from .word_difference import Span, Spans

# What is longer than this is cut before it is measured: no terminal is as wide.
_CHARS_MEASURED = 4000


def spans_width(spans: Spans) -> int:
    """Return how many columns the parts take together."""
    return sum(width(one.text) for one in spans)


def folded(spans: Spans, room: int) -> Spans:
    """Return the parts in at most so many columns.

    What has not changed is left out first, but for an even share beside each change; if
    the changes alone are too long, they are cut at the end.
    """
    spans = [
        one if len(one.text) <= _CHARS_MEASURED else _shortened(one, place == 0)
        for place, one in enumerate(spans)
    ]
    if spans_width(spans) <= room:
        return spans
    wanted = [0 if one.changed else width(one.text) for one in spans]
    kept = sum(width(one.text) for one in spans if one.changed)
    shares = _shares(wanted, room - kept)
    found: Spans = []
    left = room
    for place, (one, share) in enumerate(zip(spans, shares, strict=True)):
        if one.changed:
            text = cut(one.text, left)
        else:
            is_first, is_last = place == 0, place == len(spans) - 1
            text = cut(_folded_part(one.text, share, is_first, is_last), left)
        if text:
            found.append(Span(text, one.changed))
        left -= width(text)
        if left <= 0 or (one.changed and text != one.text):
            break
    return found


def _shortened(span: Span, is_first: bool) -> Span:
    """Return a very long part cut to what may be shown of it."""
    half = _CHARS_MEASURED // 2
    if is_first and not span.changed:
        return Span(ELLIPSIS + span.text[-half:], False)
    return Span(span.text[:half] + ELLIPSIS + span.text[-half:], span.changed)


def _shares(wanted: list[int], room: int) -> list[int]:
    """Share room out: who wants less than an even share leaves the rest to others.

    Whoever is cut gets a column at least, for the ellipsis.
    """
    shares = [0] * len(wanted)
    places = [place for place in range(len(wanted)) if wanted[place]]
    places.sort(key=wanted.__getitem__)
    for left, place in zip(range(len(places), 0, -1), places, strict=True):
        shares[place] = min(wanted[place], max(room // left, 1))
        room -= shares[place]
    return shares


def _folded_part(text: str, room: int, is_first: bool, is_last: bool) -> str:
    """Return an unchanged part: its end if first, its beginning if last, else both."""
    if width(text) <= room:
        return text
    if is_first and not is_last:
        return ELLIPSIS + tail(text, room - 1)
    if is_last:
        return cut(text, room)
    front = (room - 1) // 2
    return head(text, front) + ELLIPSIS + tail(text, room - 1 - front)
