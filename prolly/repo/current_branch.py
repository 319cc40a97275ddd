"""The name of the current branch, which a setting of the store keeps."""

from __future__ import annotations

from prolly.chunks import Store
from prolly.errors import Corrupt

HEAD_SETTING = "head"


def read_current_branch(store: Store) -> str | None:
    """Return the name as it is stored, or ``None`` when no branch was chosen yet.

    Raises Corrupt ``store-entry`` for bytes that are no name.
    """
    stored = store.read_setting(HEAD_SETTING)
    try:
        return None if stored is None else stored.decode()
    except UnicodeDecodeError:
        raise Corrupt(
            f"the name of the current branch, {stored!r}, is not UTF-8",
            code="store-entry",
            hint="Choose a branch anew with `prolly switch`.",
        ) from None
