"""Predicates as text, as people write them: ``country = 'US' and elevation > 100``.

    predicate   = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" predicate ")" | comparison
    comparison  = column ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) literal
                | column [ "not" ] "in" "(" [ literal { "," literal } ] ")"
                | column [ "not" ] "between" literal "and" literal
                | column [ "not" ] "prefix" literal
                | column "is" [ "not" ] "null"
    column      = a letter or _, then letters, digits or _; or any name in " "
    literal     = number | "true" | "false" | text in ' '

Words are the same in capitals; a quote inside quotes is doubled. A date, time, uuid or
bytes stands in quotes, spelt as in an export; so may any literal.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from prolly.errors import Invalid

from .predicate import (
    ORDERED,
    PREDICATE_DEPTH_MAX,
    All,
    Comparison,
    Either,
    Negation,
    Predicate,
    check_size,
    predicate_of_value,
    too_large,
)

# A page of text; what programs make comes as a plain value.
PREDICATE_CHARS_MAX = 65_536

WORDS = frozenset(
    ("and", "or", "not", "in", "between", "prefix", "is", "null", "true", "false")
)
# Text may need a pair of brackets where a plain value needs none, twice at each joint.
_NESTING_MAX = 3 * PREDICATE_DEPTH_MAX
_BARE = re.compile(r"[^\W\d]\w*")

Where = str | Sequence[Any] | Predicate


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def as_predicate(where: Where) -> Predicate:
    """Return the predicate of a text, a plain value, or the one given."""
    if isinstance(where, Predicate):
        return where
    if isinstance(where, str):
        return parse_predicate(where)
    return predicate_of_value(where)


def parse_predicate(text: str) -> Predicate:
    """Return the predicate that a text spells.

    Raises Invalid ``predicate`` with the position, counted from 1, of what is wrong;
    LimitExceeded ``predicate-too-large``.
    """
    if len(text) > PREDICATE_CHARS_MAX:
        raise too_large(f"it has {len(text)} characters", PREDICATE_CHARS_MAX)
    parser = _Parser(text)
    predicate = parser.disjunction(1)
    if parser.token.kind != "end":
        parser.refuse("`and`, `or` or the end")
    check_size(predicate)
    return predicate


@cache
def _token() -> re.Pattern[str]:
    """Return the pattern of a token, compiled by whoever has a text to read."""
    return re.compile(
        r"\s*(?:(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
        r"|(?P<word>[^\W\d]\w*)"
        r"|(?P<text>'(?:[^']|'')*')"
        r'|(?P<name>"(?:[^"]|"")*")'
        r"|(?P<mark><=|>=|!=|<>|[=<>(),])"
        r"|(?P<end>\Z)"
        r"|(?P<wrong>.))",
        re.DOTALL,
    )


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.token = self._next()

    def _next(self) -> _Token:
        match = _token().match(self._text, self._at)
        assert match is not None and match.lastgroup is not None
        kind = match.lastgroup
        position = match.start(kind) + 1
        if kind == "wrong":
            mark = match[kind]
            open_quote = mark in "'\""
            self._refuse_at(position, f"{mark!r}", "its end" if open_quote else "")
        self._at = match.end()
        text = match[kind]
        if kind == "word" and text.lower() in WORDS:
            return _Token("key", text.lower(), position)
        if kind in ("text", "name"):
            quote = text[0]
            return _Token(kind, text[1:-1].replace(quote * 2, quote), position)
        return _Token(kind, text, position)

    def take(self) -> _Token:
        """Return the token and go on."""
        token = self.token
        if token.kind != "end":
            self.token = self._next()
        return token

    def accept(self, *texts: str) -> bool:
        """Take the token if it is one of these words or marks."""
        if self.token.kind not in ("key", "mark") or self.token.text not in texts:
            return False
        self.take()
        return True

    def expect(self, text: str) -> None:
        """Take the token that must be here."""
        if not self.accept(text):
            self.refuse(f"`{text}`")

    def refuse(self, wanted: str) -> NoReturn:
        """Raise for the token, saying what was wanted."""
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text)
        self._refuse_at(token.position, found, wanted)

    def _refuse_at(self, position: int, found: str, wanted: str) -> NoReturn:
        reason = f", not {wanted}" if wanted else ""
        hint = "Write for example: country = 'US' and elevation > 100."
        if found.lower() in ("'like'", "'ilike'"):
            hint = "There is no `like`: name prefix 'x' finds text that begins so."
        raise Invalid(
            f"not a predicate: at position {position} stands {found}{reason}",
            code="predicate",
            hint=hint,
            position=position,
        )

    def disjunction(self, depth: int) -> Predicate:
        if depth > _NESTING_MAX:
            raise too_large("it is nested too deeply", PREDICATE_DEPTH_MAX)
        parts = [self._conjunction(depth)]
        while self.accept("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _conjunction(self, depth: int) -> Predicate:
        parts = [self._negation(depth)]
        while self.accept("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _negation(self, depth: int) -> Predicate:
        if depth > _NESTING_MAX:
            raise too_large("it is nested too deeply", PREDICATE_DEPTH_MAX)
        if self.accept("not"):
            return Negation(self._negation(depth + 1))
        if self.accept("("):
            inner = self.disjunction(depth + 1)
            self.expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        if self.token.kind not in ("word", "name"):
            self.refuse("a column")
        column = self.take()
        if self.accept("is"):
            negated = self.accept("not")
            self.expect("null")
            made: Predicate = self._made(column, "null", ())
        else:
            negated = self.accept("not")
            made = self._tested(column, negated)
        return Negation(made) if negated else made

    def _tested(self, column: _Token, negated: bool) -> Predicate:
        if self.accept("in"):
            return self._made(column, "in", self._list())
        if self.accept("between"):
            low = self._literal()
            self.expect("and")
            return self._made(column, "between", (low, self._literal()))
        if self.accept("prefix"):
            return self._made(column, "prefix", (self._literal(),))
        operator = "!=" if self.token.text == "<>" else self.token.text
        if negated or self.token.kind != "mark" or operator not in ORDERED:
            self.refuse("a comparison")
        self.take()
        return self._made(column, operator, (self._literal(),))

    def _made(self, column: _Token, operator: str, literals: Any) -> Comparison:
        return Comparison(column.text, operator, tuple(literals), column.position)

    def _list(self) -> list[Any]:
        self.expect("(")
        literals: list[Any] = []
        while not self.accept(")"):
            if literals:
                self.expect(",")
            literals.append(self._literal())
        return literals

    def _literal(self) -> Any:
        token = self.token
        if self.accept("true", "false"):
            return token.text == "true"
        if token.kind == "text":
            return self.take().text
        if token.kind == "number":
            return self._number(self.take())
        wanted = "a literal (text stands in single quotes)"
        return self.refuse(
            "a value (ask `is null`)" if token.text == "null" else wanted
        )

    def _number(self, token: _Token) -> int | Decimal:
        try:
            if token.text.lstrip("+-").isdigit():
                return int(token.text)
            return Decimal(token.text)
        except (ValueError, InvalidOperation):
            self._refuse_at(token.position, "a number", "one within the limits")


def format_predicate(predicate: Predicate) -> str:
    """Return the text of a predicate; bound to the same columns it is the same one."""
    return _format(predicate, top=True)


def _format(predicate: Predicate, *, top: bool = False) -> str:
    if isinstance(predicate, Comparison):
        return _format_comparison(predicate)
    if isinstance(predicate, Negation):
        return f"not ({_format(predicate.part, top=True)})"
    assert isinstance(predicate, (All, Either))
    if len(predicate.parts) < 2:
        # Text has no such joints; the same is said with others.
        if predicate.parts:
            return _format(predicate.parts[0], top=top)
        raise Invalid(
            "a predicate without parts has no text",
            code="predicate",
            hint="Give `and` and `or` two parts or more.",
        )
    word = " and " if isinstance(predicate, All) else " or "
    text = word.join(map(_format, predicate.parts))
    return text if top else f"({text})"


def _format_comparison(one: Comparison) -> str:
    name = _format_name(one.column)
    literals = list(map(_format_literal, one.literals))
    if one.operator == "null":
        return f"{name} is null"
    if one.operator == "in":
        return f"{name} in ({', '.join(literals)})"
    if one.operator == "between":
        return f"{name} between {literals[0]} and {literals[1]}"
    return f"{name} {one.operator} {literals[0]}"


def _format_name(name: str) -> str:
    if _BARE.fullmatch(name) and name.lower() not in WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def _format_literal(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, Decimal):
        return str(value)
    return "'" + _text_of(value).replace("'", "''") + "'"


def _text_of(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    assert isinstance(value, (str, float, UUID))
    return str(value)
