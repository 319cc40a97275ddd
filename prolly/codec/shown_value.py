"""Values as messages show them: one line, whatever they are.

A value in a message is the one that did not fit, so it may be anything: an integer of
more digits than Python spells, or lists nested deeper than ``repr`` follows.
"""

from __future__ import annotations

__all__ = ["SHOWN_CHARS_MAX", "shown"]

# A message shows the start of a value: enough to find it, short enough for one line.
SHOWN_CHARS_MAX = 60


def shown(value: object) -> str:
    """Return ``repr(value)``, cut to one line's worth; never raises.

    What cannot be spelt is described instead.
    """
    begin = value
    if isinstance(value, (str, bytes, bytearray)):
        # The repr of a file's worth of text is not made to be thrown away.
        begin = value[: SHOWN_CHARS_MAX + 1]
    try:
        text = repr(begin)
    except (ValueError, RecursionError):
        return _described(value)
    if len(text) <= SHOWN_CHARS_MAX:
        return text
    return text[: SHOWN_CHARS_MAX - 3] + "..."


def _described(value: object) -> str:
    if isinstance(value, int):
        return f"an integer of {value.bit_length()} bits"
    return f"a value of type {type(value).__name__}"
