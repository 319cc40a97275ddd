"""Revision expressions: from what people type to the id of a commit.

    HEAD, @             the newest commit of the current branch
    main, v1.0          a branch, a tag; also branches/main, tags/v1.0, remotes/origin/x
    4f2a9c...           an id, or at least 6 of its first hex digits
    main@{2}            where the ref stood two moves ago
    main@{2026-01-31}   where it stood then (RFC 3339; without an offset, UTC)
    REV~3               the third ancestor along first parents; ~ alone is ~1
    REV^2               the second parent; ^ alone is ^1, ^0 the commit itself

Suffixes chain from left to right. A name that is both branch and tag is ambiguous, and
so is a prefix of several commits' ids; a name wins over an id.
"""

from __future__ import annotations

import re

from prolly.chunks import REF_NAME_BYTES_MAX, ChunkStore, RefStore, Store
from prolly.codec import ADDRESS_BYTES, ChunkType
from prolly.errors import Invalid, NotFound

from .commits import Commits
from .refs import BRANCHES, REMOTES, TAGS

# Below this too many prefixes of a large repository would be ambiguous.
ID_PREFIX_DIGITS_MIN = 6
# A longer chain of suffixes is a mistake, or an attack on the parser's patience.
REVISION_CHARACTERS_MAX = 1024

_SUFFIX = re.compile(r"~(\d*)|\^(\d*)|@\{([^}]*)\}")
_HEX = re.compile(r"[0-9a-f]+")


class Revisions:
    """Resolves revision expressions against one store and its current branch."""

    def __init__(self, store: Store, commits: Commits) -> None:
        self._chunks: ChunkStore = store
        self._refs: RefStore = store
        self._commits = commits

    def resolve(self, text: str, current: str) -> bytes:
        """Return the commit id that ``text`` stands for.

        ``current`` is the name of the current branch. Raises NotFound (code
        ``no-such-revision``) and Invalid (``revision-syntax``, ``ambiguous-revision``).
        """
        if not text:
            raise _syntax(text, "it is empty")
        if len(text) > REVISION_CHARACTERS_MAX:
            raise _syntax(text[:40] + "...", "it is too long")
        base, suffixes = _split(text)
        if base in ("", "HEAD", "@"):
            base = BRANCHES + current
        commit_id: bytes | None = None
        for index, (parents, nth, moment) in enumerate(suffixes):
            if moment is not None:
                if index:
                    raise _syntax(text, "@{...} stands right behind a ref")
                commit_id = self._moment(self._ref_of(base, text), moment, text)
                continue
            commit_id = self._base(base, text) if commit_id is None else commit_id
            commit_id = self._step(commit_id, parents, nth, text)
        return self._base(base, text) if commit_id is None else commit_id

    def _base(self, base: str, text: str) -> bytes:
        name = self._find_ref(base)
        if name is not None:
            found = self._refs.read_ref(name)
            if found is not None:
                return found
        digits = base.lower()
        if len(digits) >= ID_PREFIX_DIGITS_MIN and _HEX.fullmatch(digits):
            return self._by_prefix(digits)
        raise _missing(text, base)

    def _ref_of(self, base: str, text: str) -> str:
        name = self._find_ref(base)
        if name is None:
            raise _missing(text, base)
        return name

    def _find_ref(self, base: str) -> str | None:
        """Return the full ref name for a short or full one, or ``None``."""
        if base.startswith((BRANCHES, TAGS, REMOTES)):
            return base if self._refs.read_ref(base) is not None else None
        found = [
            name
            for name in (BRANCHES + base, TAGS + base, REMOTES + base)
            if len(name.encode(errors="replace")) <= REF_NAME_BYTES_MAX
            and self._refs.read_ref(name) is not None
        ]
        if len(found) > 1:
            raise Invalid(
                f"{base!r} is the name of several refs: {', '.join(found)}",
                code="ambiguous-revision",
                hint=f"Write {found[0]} or {found[1]}.",
                revision=base,
                candidates=found,
            )
        return found[0] if found else None

    def _by_prefix(self, digits: str) -> bytes:
        if len(digits) > 2 * ADDRESS_BYTES:
            raise _missing(digits, digits)
        found = []
        for address in self._addresses_with(digits):
            chunk = self._chunks.get(address)
            if chunk and chunk[0] == ChunkType.COMMIT:
                found.append(address)
        if len(found) > 1:
            shown = ", ".join(address.hex()[:12] for address in found[:5])
            raise Invalid(
                f"{digits!r} begins the ids of {len(found)} commits: {shown}",
                code="ambiguous-revision",
                hint="Give more digits.",
                revision=digits,
                candidates=[address.hex() for address in found],
            )
        if not found:
            raise _missing(digits, digits)
        return found[0]

    def _addresses_with(self, digits: str) -> list[bytes]:
        """Return the addresses of chunks that are here and begin with these digits."""
        whole = bytes.fromhex(digits[: len(digits) // 2 * 2])
        if len(whole) == ADDRESS_BYTES:
            # Nothing is looked through, and a partial replica asks nobody for it.
            return [whole] if self._chunks.contains_many([whole])[0] else []
        addresses = self._chunks.iter_addresses(whole)
        return [one for one in addresses if one.hex().startswith(digits)]

    def _step(
        self, commit_id: bytes, ancestor: str | None, parent: str | None, text: str
    ) -> bytes:
        if ancestor is not None:
            for _ in range(int(ancestor or 1)):
                commit_id = self._parent(commit_id, 1, text)
            return commit_id
        number = int(parent or 1)
        return self._parent(commit_id, number, text) if number else commit_id

    def _parent(self, commit_id: bytes, number: int, text: str) -> bytes:
        parents = self._commits.read(commit_id).parents
        if number > len(parents):
            has = _count(len(parents), "parent")
            raise NotFound(
                f"{text!r}: commit {commit_id.hex()[:12]} has {has}",
                code="no-such-revision",
                hint="`prolly log --graph` shows what there is.",
                revision=text,
            )
        return parents[number - 1]

    def _moment(self, name: str, moment: str, text: str) -> bytes:
        """Return where a ref stood some moves ago, or at a time."""
        if moment.isdigit() and len(moment) < 10:
            return self._moves_ago(name, int(moment), text)
        until_us = _parse_time(moment, text)
        for entry in self._refs.iter_log(name):
            if entry.time_us <= until_us and entry.new is not None:
                return entry.new
        raise _missing(text, f"{_spoken(name)} is younger than that")

    def _moves_ago(self, name: str, moves: int, text: str) -> bytes:
        number = 0
        for number, entry in enumerate(self._refs.iter_log(name)):
            if number == moves and entry.new is not None:
                return entry.new
        told = f"moved {_count(number, 'time')}" if number else "never moved"
        raise _missing(text, f"{_spoken(name)} has {told} since it was made")


def _split(text: str) -> tuple[str, list[tuple[str | None, str | None, str | None]]]:
    start = re.search(r"[~^]|@\{", text)
    base = text[: start.start()] if start else text
    position = len(base)
    suffixes: list[tuple[str | None, str | None, str | None]] = []
    while position < len(text):
        match = _SUFFIX.match(text, position)
        if match is None:
            raise _syntax(text, f"{text[position:]!r} is no suffix")
        if any(part and part.isdigit() and len(part) > 9 for part in match.groups()):
            raise _syntax(text, "a number is too large")
        suffixes.append((match[1], match[2], match[3]))
        position = match.end()
    return base, suffixes


def _parse_time(moment: str, text: str) -> int:
    from datetime import UTC, datetime

    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        raise _syntax(text, f"{moment!r} is no number and no RFC 3339 time") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    delta = when - epoch
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _syntax(text: str, problem: str) -> Invalid:
    return Invalid(
        f"{text!r} is no revision: {problem}",
        code="revision-syntax",
        hint="Examples: main, HEAD~2, 4f2a9c, main@{1}, main@{2026-01-31}.",
        revision=text,
    )


def _spoken(name: str) -> str:
    """Return a ref as people call it: ``branches/main`` is the branch main."""
    for prefix, noun in ((BRANCHES, "branch"), (TAGS, "tag"), (REMOTES, "remote")):
        if name.startswith(prefix):
            return f"the {noun} {name.removeprefix(prefix)}"
    return name


def _missing(text: str, base: str) -> NotFound:
    hint = "`prolly branch`, `prolly tag` and `prolly log` show what there is."
    if _HEX.fullmatch(text.lower()) and len(text) < ID_PREFIX_DIGITS_MIN:
        hint = f"Give at least {ID_PREFIX_DIGITS_MIN} digits of a commit id."
    return NotFound(
        f"no revision {text!r}" + (f" ({base})" if base != text else ""),
        code="no-such-revision",
        hint=hint,
        revision=text,
    )
