"""Three versions of a blob made one: it is taken whole, as one side has it.

Where both sides changed it, the policy of the dataset decides, then resolvers are
asked, as of a record. What they see of a version is its content's hash and its size; a
resolver that wants to look inside opens the blob in the three snapshots. It answers a
version, or bytes to stand in place of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prolly.codec import STAMPED_POLICY, Descriptor, Reference
from prolly.datasets import root_reference
from prolly.maps import ABSENT, blob_length, write_blob

from .candidate import Candidate
from .clash import Clash, storable
from .column_merge import three_way
from .conflict_entry import ConflictEntry, ConflictKind
from .findings import Found
from .lost_datasets import weight_of
from .merge_work import DatasetVersions, Described, MergeWork
from .stamp_tree import BLOB_KEY, SideStamps, merge_stamps, stamps_versions
from .taken_dataset import taken
from .terms import Terms
from .values import UNRESOLVED, Outcome, Values, last_written

Roots = tuple[Reference, ...]

_NO_ANSWER = "the answer is no version of the blob, and no bytes"


def merge_blobs(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> Candidate:
    """Return the blob that is to stand, under the merged description."""
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    contents: Values = Values(
        None if base is None else base.content_roots,
        ours.content_roots,
        theirs.content_roots,
    )
    content, clash = three_way(*contents)
    stamped = stamps_versions(versions)
    terms = work.terms(Described(identity, entry))
    last = None
    if terms.policies.of(b"") == STAMPED_POLICY:
        stamps = SideStamps(work.reader, stamped).find(BLOB_KEY, None)
        last = last_written(contents, stamps)
    if last is not None:
        content = last.value
        if clash:
            terms.note(STAMPED_POLICY)
    elif clash:
        content = _settled(work, terms, identity, versions)
    entry = entry._replace(roots=content)
    if entry.keeps_stamps:
        merged = merge_stamps(work.reader, work.writer, stamped)
        merged.clashes.close()
        stamps_reference = root_reference(work.reader, merged.root)
        entry = entry._replace(roots=(*content, stamps_reference))
    candidate = taken(work, identity, versions, "ours")
    return replace(candidate, entry=entry, event="merged")


def _settled(
    work: MergeWork, terms: Terms, identity: bytes, versions: DatasetVersions
) -> Roots:
    """Return the roots of the blob that stands, where both sides changed it."""
    base, ours, theirs = versions
    assert ours is not None and theirs is not None
    policy, mode = terms.policies.of(b""), terms.on_conflict
    if policy in ("ours", "theirs"):
        terms.note(policy)
        return ours.content_roots if policy == "ours" else theirs.content_roots
    outcome = Outcome(UNRESOLVED)
    if policy not in ("keep-both", STAMPED_POLICY):
        outcome = _answered(work, terms, versions)
        if outcome.value is not UNRESOLVED:
            roots: Roots = outcome.value
            return roots
        if mode == "keep-both":
            policy = mode
    if policy in ("keep-both", STAMPED_POLICY):
        terms.note(policy)
        winner, loser = sorted((ours, theirs), key=weight_of, reverse=True)
        if mode != "base":
            work.lost.append((identity, loser))
        return winner.content_roots
    if mode == "base" and base is not None:
        return base.content_roots
    told = ConflictEntry(reason=outcome.reason or "both sides changed the blob")
    found = Found(ConflictKind.RECORD, BLOB_KEY, told)
    work.findings.record(identity, terms.dataset, found, lambda: ABSENT)
    return ours.content_roots


def _answered(work: MergeWork, terms: Terms, versions: DatasetVersions) -> Outcome:
    """Ask the policy's resolver, then ``resolve=``; the value is what is stored."""
    shown = Values(*[_shown(work, one) for one in versions])
    return terms.answer(
        terms.policies.of(b""),
        lambda: Clash(terms.dataset, (), *shown, snapshots=terms.snapshots),
        lambda outcome: _kept(work, outcome, shown, versions),
    )


def _shown(work: MergeWork, entry: Descriptor | None) -> Any:
    """Return a version as resolvers see it, ABSENT where there is no such blob."""
    if entry is None or entry.kind != "blob":
        return ABSENT
    reference = entry.roots[0]
    size = blob_length(work.reader.get_chunk, reference)
    return {"content": reference.address.hex(), "size": size}


def _kept(
    work: MergeWork, outcome: Outcome, shown: Values, versions: DatasetVersions
) -> Outcome:
    """Return the outcome with the roots of what was answered."""
    answer = outcome.value
    if answer is UNRESOLVED:
        return outcome
    if type(answer) is bytes:
        return Outcome((write_blob(work.writer, answer),))
    return storable(lambda: _version(answer, shown, versions))


def _version(answer: Any, shown: Values, versions: DatasetVersions) -> Outcome:
    """Return the roots of the version that was answered as it was shown."""
    if type(answer) is dict:
        for one, entry in zip(shown, versions, strict=True):
            if answer == one and entry is not None:
                return Outcome(entry.content_roots)
    return Outcome(UNRESOLVED, _NO_ANSWER)
