"""Settings of a repository that people change: a mapping of known names to text.

They stand in the store, under ``config.NAME``, and hold for whoever opens it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import NamedTuple

from prolly.chunks import RefStore
from prolly.codec import shown
from prolly.errors import Invalid, LimitExceeded

# Room for any name or command line; a setting is read whenever it matters.
CONFIG_VALUE_BYTES_MAX = 1024

PREFIX = "config."


class Setting(NamedTuple):
    """One setting that there is: what it means, and what holds until it is set.

    With ``choices`` its value is one of them.
    """

    name: str
    meaning: str
    default: str = ""
    choices: tuple[str, ...] = ()


SETTINGS = {
    one.name: one
    for one in (
        Setting(
            "gc.auto",
            "collect garbage after commits that leave much of it",
            default="on",
            choices=("on", "off"),
        ),
        Setting("pager", "command that long output goes through, or off"),
        Setting("user.name", "author of commits, unless PROLLY_AUTHOR names one"),
    )
}


class Config(MutableMapping[str, str]):
    """The settings of one store that are set, by name in order.

    A name that is not in ``SETTINGS`` raises Invalid ``config-key``.
    """

    def __init__(self, store: RefStore) -> None:
        self._store = store

    def __getitem__(self, name: str) -> str:
        """Return what is set; KeyError where only the default holds."""
        stored = self._store.read_setting(PREFIX + _known(name).name)
        if stored is None:
            raise KeyError(name)
        return stored.decode("utf-8", "replace")

    def value(self, name: str) -> str:
        """Return what holds: what is set, else the default, which may be empty."""
        return self.get(name) or _known(name).default

    def __setitem__(self, name: str, value: str) -> None:
        """Set a value.

        Invalid ``config-value`` for one that the setting does not take, LimitExceeded
        ``config-too-long``.
        """
        setting = _known(name)
        _check(setting, value)
        self._store.write_setting(PREFIX + name, value.encode())

    def __delitem__(self, name: str) -> None:
        """Go back to the default; KeyError when nothing is set."""
        if name not in self:
            raise KeyError(name)
        self._store.write_setting(PREFIX + name, None)

    def __iter__(self) -> Iterator[str]:
        read = self._store.read_setting
        return (name for name in SETTINGS if read(PREFIX + name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _known(name: object) -> Setting:
    found = SETTINGS.get(name) if isinstance(name, str) else None
    if found is None:
        raise Invalid(
            f"there is no setting {shown(name)}",
            code="config-key",
            hint=f"There is: {', '.join(SETTINGS)}.",
            name=name,
        )
    return found


def _check(setting: Setting, value: object) -> None:
    problem = ""
    if not isinstance(value, str) or not value.strip():
        problem = "it is text, and not empty"
    elif not value.isprintable():
        problem = "it has no control characters"
    elif setting.choices and value not in setting.choices:
        problem = f"it is {' or '.join(setting.choices)}"
    if problem:
        raise Invalid(
            f"{setting.name} cannot be {shown(value)}: {problem}",
            code="config-value",
            hint="Unset it to go back to the default.",
            name=setting.name,
        )
    size = len(str(value).encode())
    if size > CONFIG_VALUE_BYTES_MAX:
        raise LimitExceeded(
            f"{setting.name} has {size} bytes, the limit is {CONFIG_VALUE_BYTES_MAX}",
            code="config-too-long",
            hint="Make it shorter.",
            name=setting.name,
        )
