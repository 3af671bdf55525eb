"""Keeping secrets out of what is written down, and making text safe to write down.

A secret is what a call was made with, and every value of a parameter that is named like one or that the
operation declares (`Parameters.SECRETS`). Its name is not all: whoever fills in a form wrongly sends a
password as a number, and an error's detail may repeat it. So the values themselves are looked for.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(r"pas+_?w|^pass$|passphrase|pwd|secret|token|api_?key|credential|authori[sz]ation")
# Shorter ones are only replaced as whole values: to cut every "1" out of a log would hide no secret.
_SHORTEST = 6
_BEGINNING = 12
_KNOWN_NAMES = 1024
_LONGEST_NAME = 64

_names: dict[str, bool] = {}
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a secret: password, secret, token and the like."""
    known = _names.get(name)
    if known is None:
        known = _SECRET_NAME.search(name.lower()) is not None
        if len(name) <= _LONGEST_NAME:
            if len(_names) >= _KNOWN_NAMES:
                _names.clear()
            _names[name] = known
    return known


def line(text: str | None, limit: int) -> str | None:
    """Give a text that stays one line wherever it is shown, at most `limit` characters.

    Control characters, what turns the direction of writing, and lone surrogates become U+FFFD.
    """
    if text is None:
        return None
    text = text[:limit]
    return text if text.isascii() and text.isprintable() else _UNWRITABLE.sub("\ufffd", text)


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Give JSON, UTF-8; lone surrogates, which UTF-8 cannot hold, become U+FFFD.

    `default` gives something plain for what is not, dataclasses included.
    """
    try:
        return orjson.dumps(value, default, orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:
        return orjson.dumps(_mapped(value, _writable), default, orjson.OPT_PASSTHROUGH_DATACLASS)


class Secrets:
    """The secrets of one call, looked for in what is logged of it."""

    __slots__ = ("_long", "_short")

    def __init__(self, values: Iterable[str | None]) -> None:
        given = {text for value in values if value for text in _variants(value)}
        self._long = sorted((value for value in given if len(value) >= _SHORTEST), key=len, reverse=True)
        self._short = frozenset(value for value in given if len(value) < _SHORTEST)

    def hide(self, text: str) -> str:
        """Give the text with every secret in it replaced; a short one only where it is all of the text.

        Of a long one its beginning is replaced too, for where a sentence repeats only the first characters.
        """
        if text in self._short:
            return REDACTED
        for secret in self._long:
            if secret[:_BEGINNING] in text:
                text = _without(text.replace(secret, REDACTED), secret)
        return text

    def within(self, json: bytes) -> bool:
        """Whether JSON (made by `dumps`) may hold a secret. Cheap; now and then a false alarm."""
        return any(_escaped(secret[:_BEGINNING]) in json for secret in (*self._long, *self._short))

    def hide_all(self, value: Any) -> Any:
        """The same plain value with secrets replaced in all its names and texts; numbers stay."""
        return _mapped(value, self.hide)


def _variants(secret: str) -> tuple[str, ...]:
    """A secret as it was given, as it is written (a lone surrogate is not) and as an error's detail quotes it."""
    if secret.isprintable() and "'" not in secret and "\\" not in secret:
        return (secret,)
    return secret, _writable(secret), repr(secret)[1:-1]


def _without(text: str, secret: str) -> str:
    """Replace what the text has of the beginning of a secret."""
    beginning = secret[:_BEGINNING]
    at = text.find(beginning)
    while at >= 0:
        end = at + len(beginning)
        while end < len(text) and end - at < len(secret) and text[end] == secret[end - at]:
            end += 1
        text = text[:at] + REDACTED + text[end:]
        at = text.find(beginning, at + len(REDACTED))
    return text


def _escaped(secret: str) -> bytes:
    return dumps(secret)[1:-1]


def _writable(text: str) -> str:
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _mapped(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(inner, change) for inner in value]
    return value
