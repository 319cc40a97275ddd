"""Three texts merged by characters, where both sides may have changed one line.

Both sides are replayed on a document of pycrdt, the Python face of Yjs. What comes of
it, always, since a side's changes are all against the base:

- A change that both sides made alike is made once.
- A character of the base stands unless a side took it out.
- What a side put in stands in place of the beginning of what it took out. Of both sides
  in one place, that of the lesser text goes first, by the bytes of UTF-8.

So all that either side put in is in the result, once, and nothing is in conflict: what
two people wrote in place of one word stands side by side.

The changes of a side are those by lines; one that takes lines out and puts others in is
divided in the same way by characters, unless there are more than
``TEXT_CHARACTERS_MAX`` of them. Page: docs/spec/policies.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from prolly.errors import Unsupported

from .text_lines import Change, changes_of, split_lines

if TYPE_CHECKING:
    from pycrdt import Doc, Text

# Characters of changed lines of one side, before and after. Past them whole lines are
# taken: the work grows with their number times that of the changes, some 0.3 s here.
TEXT_CHARACTERS_MAX = 20_000

# Who made what, as Yjs wants to know: of two in one place the smaller goes first.
_BASE, _LESSER, _GREATER = 1, 2, 3
_NAME = "text"


def merge_characters(base: str, ours: str, theirs: str) -> str:
    """Return the merged text; with sides swapped it is the same.

    Raises Unsupported ``missing-extra`` where the package pycrdt is not installed.
    """
    begun, text = _document(_BASE)
    sides = [character_changes(base, one) for one in sorted((ours, theirs))]
    alike = set(sides[0]) & set(sides[1])
    text += _applied(base, alike)
    shared, known = begun.get_update(), begun.get_state()
    for client, changes in zip((_LESSER, _GREATER), sides, strict=True):
        document, replayed = _document(client)
        document.apply_update(shared)
        with document.transaction():
            _replay(replayed, _rebased(changes, alike))
        begun.apply_update(document.get_update(known))
    return str(text)


def character_changes(base: str, side: str) -> list[Change]:
    """Return what a side changed, in characters of the base, in order.

    What was added is a string. Between two changes there is a character of the base.
    """
    lines = split_lines(base)
    by_line = changes_of(lines, split_lines(side))
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    changes = [
        Change(ends[one.start], ends[one.stop], "".join(one.added)) for one in by_line
    ]
    replaced = [one for one in changes if one.added and one.start < one.stop]
    size = sum(one.stop - one.start + len(one.added) for one in replaced)
    if size > TEXT_CHARACTERS_MAX:
        return changes
    return [part for one in changes for part in _divided(base, one)]


def _divided(base: str, change: Change) -> Iterator[Change]:
    start, stop, added = change
    for one in changes_of(base[start:stop], added):
        yield Change(start + one.start, start + one.stop, "".join(one.added))


def _applied(base: str, changes: Iterable[Change]) -> str:
    """Return the base with changes made."""
    parts = []
    done = 0
    for start, stop, added in sorted(changes):
        parts += [base[done:start], "".join(added)]
        done = stop
    return "".join([*parts, base[done:]])


def _rebased(changes: Sequence[Change], made: set[Change]) -> list[Change]:
    """Return those changes that were not made yet, where they are since the others."""
    rebased = []
    shift = 0
    for one in changes:
        if one in made:
            shift += len(one.added) - (one.stop - one.start)
        else:
            rebased.append(Change(one.start + shift, one.stop + shift, one.added))
    return rebased


def _replay(text: Text, changes: Sequence[Change]) -> None:
    """Make changes on a text, the last one first; Yjs counts bytes of UTF-8."""
    content = str(text)
    places = sorted({place for one in changes for place in one[:2]})
    offsets = {}
    done = offset = 0
    for place in places:
        offset += len(content[done:place].encode())
        offsets[place] = offset
        done = place
    for one in reversed(changes):
        start, stop = offsets[one.start], offsets[one.stop]
        added = "".join(one.added)
        if added:
            text.insert(start, added)
        if start < stop:
            length = len(added.encode())
            del text[start + length : stop + length]


def _document(client: int) -> tuple[Doc[Text], Text]:
    """Return an empty document and its text; Unsupported where there is no pycrdt."""
    try:
        from pycrdt import Doc, Text
    except ImportError as error:
        raise Unsupported(
            "merging text by characters needs the package pycrdt",
            code="missing-extra",
            hint="`pip install 'prolly[text]'` installs it.",
            extra="text",
        ) from error
    document: Doc[Text] = Doc(client_id=client)
    return document, document.get(_NAME, type=Text)
