"""What differs between two texts, word by word: to be marked where both are shown."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NamedTuple

from .display_width import clusters

# A number, a date or a name with an apostrophe is one word.
_WORD = re.compile(r"\w+(?:[.,:'\u2019-]\w+)*|\s+|.", re.DOTALL)
# Comparing costs the product of both numbers of words; of a longer stretch it is enough
# to know where it begins and ends.
_WORDS_COMPARED = 300
# Longer texts are compared by characters from both ends, not by words.
_CHARS_SPLIT = 4000
# Texts that have less in common than this are two texts: marks would only be noise.
_LEAST_IN_COMMON = 0.3


class Span(NamedTuple):
    """A part of a text that has changed, or has not."""

    text: str
    changed: bool


Spans = list[Span]


def word_differences(old: str, new: str) -> tuple[Spans, Spans]:
    """Return both texts in parts; with little in common they are changed as a whole."""
    if old == new:
        return [Span(old, False)], [Span(new, False)]
    if max(len(old), len(new)) > _CHARS_SPLIT:
        return _long_differences(old, new)
    olds, news = _words(old), _words(new)
    front = _alike(olds, news)
    back = _alike(olds[front:][::-1], news[front:][::-1])
    middle = olds[front : len(olds) - back], news[front : len(news) - back]
    before, after = _compared(*middle)
    lead, end = "".join(olds[:front]), "".join(olds[len(olds) - back :])
    sides = [
        _joined([Span(lead, False), *one, Span(end, False)]) for one in (before, after)
    ]
    same = sum(_weight(one.text) for one in sides[0] if not one.changed)
    if same < _LEAST_IN_COMMON * min(_weight(old), _weight(new)):
        return [Span(old, True)], [Span(new, True)]
    return sides[0], sides[1]


def _long_differences(old: str, new: str) -> tuple[Spans, Spans]:
    """Return both texts in three parts: alike, changed, alike."""
    front = _common_front(old, new)
    back = _common_front(old[front:][::-1], new[front:][::-1])
    sides = []
    for text in (old, new):
        stop = len(text) - back
        parts = text[:front], text[front:stop], text[stop:]
        flags = (False, True, False)
        sides.append(_joined([Span(*one) for one in zip(parts, flags, strict=True)]))
    return sides[0], sides[1]


def _common_front(one: str, other: str) -> int:
    """Return how many characters both begin with: by halves, for the speed of it."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _words(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text)
    # No word ends within what is drawn as one.
    starts, place = set(), 0
    for cluster, _ in clusters(text):
        starts.add(place)
        place += len(cluster)
    words: list[str] = []
    for found in _WORD.finditer(text):
        if words and found.start() not in starts:
            words[-1] += found[0]
        else:
            words.append(found[0])
    return words


def _alike(some: list[str], others: list[str]) -> int:
    """Return how many words both begin with."""
    pairs = zip(some, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _compared(old: list[str], new: list[str]) -> tuple[Spans, Spans]:
    if not (old and new) or max(len(old), len(new)) > _WORDS_COMPARED:
        return [Span("".join(old), True)], [Span("".join(new), True)]
    from difflib import SequenceMatcher

    before: Spans = []
    after: Spans = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, stop, new_start, new_stop in matcher.get_opcodes():
        words, others = old[start:stop], new[new_start:new_stop]
        # A space alone between two changes is no island to be shown.
        changed = tag != "equal" or not any(one.strip() for one in words)
        before.append(Span("".join(words), changed))
        after.append(Span("".join(others), changed))
    return before, after


def _joined(spans: Spans) -> Spans:
    """Return the parts without empty ones, neighbours of a kind as one."""
    found: Spans = []
    for text, changed in spans:
        if found and found[-1].changed == changed:
            found[-1] = Span(found[-1].text + text, changed)
        elif text:
            found.append(Span(text, changed))
    return found or [Span("", False)]


def _weight(text: str) -> int:
    return sum(1 for one in text if not one.isspace())
