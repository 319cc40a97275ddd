"""The refs of another replica, checked: what may stand in our store under its name."""

from __future__ import annotations

from dataclasses import dataclass, field

from prolly.codec import ADDRESS_BYTES
from prolly.codec.wire import bad_wire
from prolly.errors import Corrupt, Error, LimitExceeded
from prolly.history import BRANCHES, TAGS, check_name

from .conversation import ask_once
from .remote import Remote

# More than any repository has; they are held in memory.
REMOTE_REFS_MAX = 262_144


@dataclass(slots=True)
class RemoteRefs:
    """Branches and tags by their whole names, and the current branch."""

    head: str = ""
    refs: dict[str, bytes] = field(default_factory=dict)

    def named(self, prefix: str) -> dict[str, bytes]:
        """Return the refs of one kind by their names."""
        return {
            name.removeprefix(prefix): address
            for name, address in self.refs.items()
            if name.startswith(prefix)
        }


def read_remote_refs(remote: Remote) -> RemoteRefs:
    """Ask for the refs of a remote: one round trip.

    Raises Corrupt ``remote-ref`` for a name or an address that is none, and for a reply
    that tells of no current branch, LimitExceeded ``too-many-refs``, RemoteFailed.
    """
    found = RemoteRefs()
    for message in ask_once(remote, "refs", {}):
        if "head" in message.fields:
            found.head = _checked(message.text("head"))
        for name, address in message.mapping("refs").items():
            prefix = BRANCHES if name.startswith(BRANCHES) else TAGS
            _checked(name.removeprefix(prefix))
            is_address = type(address) is bytes and len(address) == ADDRESS_BYTES
            if not name.startswith(prefix) or not is_address:
                raise _bad_ref(name)
            found.refs[name] = address
        if len(found.refs) > REMOTE_REFS_MAX:
            raise LimitExceeded(
                f"the other side has more than {REMOTE_REFS_MAX} refs",
                code="too-many-refs",
                hint="Fetch from another replica.",
            )
    if not found.head:
        raise bad_wire("refs without a current branch")
    return found


def _checked(name: str) -> str:
    try:
        return check_name(name)
    except Error as error:
        raise _bad_ref(name) from error


def _bad_ref(name: str) -> Corrupt:
    return Corrupt(
        f"the other side has a ref that cannot be one: {name[:100]!r}",
        code="remote-ref",
        hint="Its store is damaged, or it lies; nothing was changed.",
    )
