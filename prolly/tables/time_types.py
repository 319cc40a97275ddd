"""The column types of time: date and datetime.

A date is ``2026-01-31``. A datetime is RFC 3339 with its offset: ``Z`` for UTC, six
digits of a second or none, as in ``2026-01-31T12:00:00.250000+01:00``. A datetime
without an offset is not a point in time and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from .column_types import ColumnType, with_empty_as_null

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MINUTE = timedelta(minutes=1)


class DateType(ColumnType):
    """A day of the calendar, years 1 to 9999."""

    name = "date"
    kinds = frozenset({date, type(None)})

    def check(self, value: object) -> date:
        if type(value) is date:
            return value
        hint = "Give value.date()." if isinstance(value, datetime) else ""
        raise self.refuse(value, hint)

    def parse_text(self, text: str) -> date:
        if not _DATE.fullmatch(text):
            raise self.refuse(text, "A date is written 2026-01-31.")
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.refuse(text, "The calendar has no such day.") from None

    def format_text(self, value: date) -> str:
        return value.isoformat()

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        full = [text for text in texts if text] if "" in texts else texts
        # Ten digits and dashes: of the spellings that fromisoformat takes, only ours.
        if set(map(len, full)) == {10} and not "".join(full).strip("-0123456789"):
            try:
                values = list(map(date.fromisoformat, full))
            except ValueError:
                return super().parse_many(texts)
            return values if full is texts else with_empty_as_null(texts, values)
        return super().parse_many(texts)

    def exact_many(self, texts: Sequence[str]) -> bool:
        try:
            return list(map(str, map(date.fromisoformat, texts))) == list(texts)
        except ValueError:
            return False


class DatetimeType(ColumnType):
    """A point in time with the offset it was written in."""

    name = "datetime"
    kinds = frozenset({type(None)})

    def check(self, value: object) -> datetime:
        if not isinstance(value, datetime):
            raise self.refuse(value)
        offset = value.utcoffset()
        if offset is None:
            hint = "It has no offset: give tzinfo, e.g. datetime.timezone.utc."
            raise self.refuse(value, hint)
        if offset % _MINUTE:
            raise self.refuse(value, "An offset is whole minutes.")
        zone = timezone(offset) if offset else UTC
        if type(value) is datetime and value.tzinfo == zone and not value.fold:
            return value
        # A named zone is left behind: what is stored is the instant and its offset.
        return datetime.combine(value.date(), value.time(), zone).replace(fold=0)

    def check_many(self, values: Sequence[Any]) -> Sequence[Any]:
        if set(map(type, values)) == {datetime} and not any(one.fold for one in values):
            # A column is in UTC as a rule, and then there is nothing to do: this look
            # takes a sixth of the time of the checks one by one.
            zones = {one.tzinfo for one in values}
            if len(zones) == 1 and zones.pop() is UTC:
                return values
        return super().check_many(values)

    def parse_text(self, text: str) -> datetime:
        if not _DATETIME.fullmatch(text):
            hint = "A datetime is written 2026-01-31T12:00:00Z or with +01:00."
            raise self.refuse(text, hint)
        try:
            return datetime.fromisoformat(text.upper())
        except ValueError:
            raise self.refuse(text, "The calendar has no such time.") from None

    def format_text(self, value: datetime) -> str:
        text = value.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text
