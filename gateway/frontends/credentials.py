"""Credentials that come in the header Authorization (RFC 9110, section 11.6.2)."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable

from gateway.frontends import Environ
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call

# RFC 7617, section 2: neither part holds a control character.
_CONTROL = re.compile("[\x00-\x1f\x7f]")
# suds writes base64 with the alphabet that is meant for URLs (RFC 4648, section 5).
_ORDINARY = str.maketrans("-_", "+/")
# RFC 6750, section 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def basic(environ: Environ) -> tuple[str, str] | None:
    """Give login and secret of `Authorization: Basic` (RFC 7617); None where it is of another scheme or absent.

    The text is UTF-8; the first colon ends the login, later ones belong to the secret. Raises `ValueError` for one
    that is malformed.
    """
    value = _of_scheme(environ, "basic")
    if value is None:
        return None
    try:
        text = b64decode(value.translate(_ORDINARY), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise ValueError("not base64 of UTF-8 text") from None
    login, colon, secret = text.partition(":")
    if not colon or _CONTROL.search(text):
        raise ValueError("no user:password")
    return login, secret


def bearer(environ: Environ) -> str | None:
    """Give the token of `Authorization: Bearer` (RFC 6750, section 2.1); None where the header is none of that.

    Raises `ValueError` for one that is malformed.
    """
    value = _of_scheme(environ, "bearer")
    if value is not None and not _TOKEN.fullmatch(value):
        raise ValueError("no token")
    return value


def sent_by_another_site(environ: Environ) -> bool:
    """Whether a browser says that another site's page made it send this (Fetch Metadata, section 2.3).

    A browser adds Basic credentials that it keeps to whatever request such a page makes it send.
    """
    return environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")


def forbid(call: Call, names: Iterable[str], instead: str) -> None:
    """Refuse a call that has credentials among its parameters, where nobody must get used to putting them.

    They are in the log then, the secrets redacted. `instead` says where they belong.
    """
    given: dict[str, str | None] = {"user": call.login, "password": call.secret}
    call.login = call.secret = None
    back = {name: value for name, value in given.items() if value}
    if back:
        call.parameters = {**call.parameters, **back}
    named = [name for name in names if call.parameters.get(name)]
    if named and call.problem is None:
        call.problem = Refusal(Code.INCORRECT_PARAM, f"{', '.join(named)}: {instead}")


def _of_scheme(environ: Environ, scheme: str) -> str | None:
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    found, _, value = header.partition(" ")
    return value.strip(" ") if found.lower() == scheme else None
