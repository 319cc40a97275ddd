"""The column types bool, text, bytes, uuid and json."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from prolly.codec import json_form
from prolly.errors import Error, LimitExceeded

from .column_types import ColumnType

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOOLS = {"true": True, "false": False}


class BoolType(ColumnType):
    """``true`` or ``false``; 0 and 1 are numbers."""

    name = "bool"
    kinds = frozenset({bool, type(None)})
    plain = bool

    def check(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise self.refuse(value)

    def parse_text(self, text: str) -> bool:
        value = _BOOLS.get(text)
        if value is None:
            raise self.refuse(text, "A bool is written true or false.")
        return value

    def format_text(self, value: bool) -> str:
        return "true" if value else "false"

    def exact_many(self, texts: Sequence[str]) -> bool:
        return set(texts) <= _BOOLS.keys()

    def to_json(self, value: bool) -> bool:
        return value

    def json_text(self, value: bool) -> str:
        return "true" if value else "false"


class TextType(ColumnType):
    """Unicode text, as it is. Lone surrogates are no text."""

    name = "text"
    kinds = frozenset({str, type(None)})
    plain = str

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refuse(value)
        text = str.__str__(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.refuse(value, "It holds half of a surrogate pair.") from None
        return text

    def check_many(self, values: Sequence[Any]) -> Sequence[Any]:
        kinds = set(map(type, values))
        full = values if kinds == {str} else [value for value in values if value]
        if kinds <= self.kinds:
            try:
                "".join(full).encode()
            except UnicodeEncodeError:
                pass
            else:
                return values
        return [None if value is None else self.check(value) for value in values]

    def parse_text(self, text: str) -> str:
        return self.check(text)

    def format_text(self, value: str) -> str:
        return value

    def exact(self, text: str) -> bool:
        return True

    def exact_many(self, texts: Sequence[str]) -> bool:
        return True

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        """Return the texts: an empty one is an empty text, not null."""
        return self.check_many(texts)

    def format_many(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return the values; null is written as an empty text and reads so."""
        if None in values:
            return ["" if value is None else value for value in values]
        return values

    def from_json_many(self, forms: Sequence[object]) -> Sequence[Any]:
        return self.check_many(forms)

    def json_text(self, value: str) -> str:
        return encode_basestring(value)

    def json_text_many(self, values: Sequence[Any]) -> Sequence[str]:
        if None in values:
            return super().json_text_many(values)
        return list(map(encode_basestring, values))


class BytesType(ColumnType):
    """Bytes; their text is base64 with padding.

    In CSV no bytes and null look the same, an empty cell, which reads as null.
    """

    name = "bytes"
    article = "a value of"
    kinds = frozenset({bytes, type(None)})
    plain = bytes

    def check(self, value: object) -> bytes:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        hint = "Encode the text first." if isinstance(value, str) else ""
        raise self.refuse(value, hint)

    def parse_text(self, text: str) -> bytes:
        try:
            value = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise self.refuse(text, "Bytes are written in base64.") from None
        if self.format_text(value) != text:
            raise self.refuse(text, "Its base64 has loose bits at the end.")
        return value

    def format_text(self, value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    def from_json(self, form: object) -> bytes:
        if type(form) is dict and form.keys() == {"$bytes"}:
            form = form["$bytes"]
        if type(form) is str:
            return self.parse_text(form)
        return self.check(form)

    def to_json(self, value: bytes) -> Any:
        return {"$bytes": self.format_text(value)}

    def json_text(self, value: bytes) -> str:
        return f'{{"$bytes":"{self.format_text(value)}"}}'


class UuidType(ColumnType):
    """A UUID in its usual form, lower case and with dashes."""

    name = "uuid"
    kinds = frozenset({UUID, type(None)})

    def check(self, value: object) -> UUID:
        if isinstance(value, UUID):
            return value
        raise self.refuse(value)

    def parse_text(self, text: str) -> UUID:
        if not _UUID.fullmatch(text):
            raise self.refuse(text)
        return UUID(text)

    def format_text(self, value: UUID) -> str:
        return str(value)


class JsonType(ColumnType):
    """Any value that a map may hold: nested lists and maps, numbers, text, times."""

    name = "json"
    kinds = frozenset({type(None)})

    def check(self, value: object) -> Any:
        """Return the value; the codec refuses, with the path, what it cannot hold."""
        return value

    def check_many(self, values: Sequence[object]) -> Sequence[Any]:
        return values

    def parse_text(self, text: str) -> Any:
        try:
            form = json_form.STRICT_DECODER.decode(text)
        except (ValueError, RecursionError):
            raise self.refuse(text, "The cell is not JSON.") from None
        except LimitExceeded as error:
            raise self.refuse(text, error.message) from None
        return self.from_json(form)

    def format_text(self, value: Any) -> str:
        form = json_form.to_json(value, exact=True)
        return json.dumps(form, ensure_ascii=False, separators=(",", ":"))

    def from_json(self, form: object) -> Any:
        try:
            return json_form.from_json(form)
        except RecursionError:
            raise self.refuse(form, "It is nested too deeply.") from None
        except Error as error:
            raise self.refuse(form, error.hint or error.message) from None

    def to_json(self, value: Any) -> Any:
        return json_form.to_json(value, exact=True)

    def json_text(self, value: Any) -> str:
        return self.format_text(value)
