"""Tags of the elements of sets: when each was put in, so that adding wins.

An observed-remove set (Shapiro, Preguica, Baquero and Zawirski: A comprehensive study
of convergent and commutative replicated data types, INRIA RR-7506, 2011), whose state
is the list itself and a set of tags beside it:

    an element put in                         gets one new tag, of the write's stamp
    an element taken out                      loses all tags that it had
    an element that a write leaves there      keeps its tags

An element of a list that has no tag of its own (it stood there before the policy, or
before anybody wrote the list) counts as tagged with the stamp of nobody; so a list
without any tags is merged as a plain set. Whoever writes a list first gives these tags,
too, so a list that has tags has one for each of its elements, and who changed a list
has changed its tags. Each tag is merged by itself: a side that lacks one that the base
has took it out, and none comes back. So there are never more than those of what is in,
and nothing is kept of what was taken out. Page: docs/spec/policies.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.codec import cbor
from prolly.codec.record_stamps import ELEMENT_BYTES, NO_STAMP, RecordStamps, TagSet

from .value_order import order_key

Elements = dict[bytes, Any]


class Tags(NamedTuple):
    """The tags of three versions of one list; None where a version has none."""

    base: TagSet | None
    ours: TagSet | None
    theirs: TagSet | None

    @property
    def are_of_both(self) -> bool:
        """Tell whether both sides changed them, differently."""
        return self.base != self.ours != self.theirs != self.base


NO_TAGS = Tags(None, None, None)
_NOTHING: TagSet = frozenset()


def elements_of(value: Any) -> Elements:
    """Return the elements of a list by their names; of anything else none."""
    if type(value) is not list:
        return {}
    return {blake3(cbor.encode(one)).digest(length=ELEMENT_BYTES): one for one in value}


def written_tags(known: TagSet | None, old: Any, new: Any, stamp: bytes) -> TagSet:
    """Return the tags of a list that a write of this stamp made of ``old``.

    ``known`` are those as yet. What ``old`` was without being a list had no elements.
    """
    before = elements_of(old)
    names = elements_of(new).keys()
    kept = names & before.keys()
    return tags_of(kept, known) | {name + stamp for name in names - kept}


def tags_of(names: Iterable[bytes], known: TagSet | None) -> TagSet:
    """Return the tags of elements, one of nobody for each that has none."""
    wanted = set(names)
    found = {tag for tag in known or _NOTHING if tag[:ELEMENT_BYTES] in wanted}
    wanted.difference_update([tag[:ELEMENT_BYTES] for tag in found])
    return frozenset(found.union([name + NO_STAMP for name in wanted]))


def merged_tags(tags: Tags) -> TagSet | None:
    """Return the tags of a merged list, without looking at the lists.

    Where the base has none yet, nobody had written the list: so a tag of nobody that is
    not on both sides was taken out on one.
    """
    base, ours, theirs = tags
    if ours == theirs or base == theirs:
        return ours
    if base == ours:
        return theirs
    if base is None:
        base = frozenset(
            tag
            for tag in (ours or _NOTHING) | (theirs or _NOTHING)
            if tag.endswith(NO_STAMP)
        )
    merged = _merged(base, ours or _NOTHING, theirs or _NOTHING)
    if not merged and (ours is None or theirs is None):
        return None
    return merged


def merged_record_tags(
    base: RecordStamps, ours: RecordStamps, theirs: RecordStamps
) -> dict[int | None, TagSet]:
    """Return the tags of all sets of a merged record, by column."""
    sides: tuple[Mapping[int | None, TagSet], ...] = ours.tags, theirs.tags
    found = {}
    for column in {*sides[0], *sides[1]}:
        three = [one.get(column) for one in (base.tags, *sides)]
        merged = merged_tags(Tags(*three))
        if merged is not None:
            found[column] = merged
    return found


def merge_tagged_sets(versions: Sequence[Sequence[Any]], tags: Tags) -> Elements:
    """Return the elements of the merged list, by name; the versions are lists.

    Tags of what is not in its list are of no account.
    """
    stood = [elements_of(one) for one in versions]
    held = [
        tags_of(elements, known) for elements, known in zip(stood, tags, strict=True)
    ]
    alive = {tag[:ELEMENT_BYTES] for tag in _merged(*held)}
    union = {**stood[1], **stood[2]}
    return {name: element for name, element in union.items() if name in alive}


def sorted_elements(elements: Elements) -> list[Any]:
    """Return elements as a list, in the order of values."""
    return sorted(elements.values(), key=order_key)


def _merged(base: TagSet, ours: TagSet, theirs: TagSet) -> TagSet:
    return (ours & theirs) | ((ours ^ theirs) - base)
