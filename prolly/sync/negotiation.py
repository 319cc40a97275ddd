"""Finding a commit that both sides have, when neither knows where the other stands.

Our history is asked about in exponential steps from its tips down, then between the
last commit that is unknown over there and the first that is known: O(log commits) round
trips, each with many steps at once. What is found need not be the best: what the other
side then sends in vain is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from prolly.codec.wire_messages import decode_bits
from prolly.history import Commits, walk

from .conversation import ask_for
from .remote import Remote

# Commits asked about in one go: a kilobyte.
SAMPLED_COMMITS = 32


def shared_commits(
    commits: Commits, remote: Remote, tips: Sequence[bytes]
) -> list[bytes]:
    """Return commits of ours that the other side has, near to our tips."""
    ours = list(walk(commits, list(tips)))
    # Steps double, so that so many of them reach the end of any history; the last
    # commit is the first one, which is everywhere.
    places = [0]
    while places[-1] < len(ours) - 1 and len(places) < SAMPLED_COMMITS:
        places.append(min(2 * places[-1] + 1, len(ours) - 1))
    known = known_commits(remote, [ours[at] for at in places])
    if True not in known:
        return []
    first = known.index(True)
    low = places[first - 1] + 1 if first else places[first]
    high = places[first]
    while low < high:
        step = max((high - low) // SAMPLED_COMMITS, 1)
        places = list(range(low, high, step))
        known = known_commits(remote, [ours[at] for at in places])
        if True not in known:
            low = places[-1] + 1
        else:
            found = known.index(True)
            low, high = places[found - 1] + 1 if found else low, places[found]
    return [ours[high]]


def known_commits(remote: Remote, commit_ids: Sequence[bytes]) -> list[bool]:
    """Ask which of some commits the other side has: one round trip."""
    message = ask_for(remote, "common", {"ids": b"".join(commit_ids)})
    return decode_bits(message.data("known"), len(commit_ids))
