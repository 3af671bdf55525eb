"""Whose call it is: WS-Security's UsernameToken, HTTP Basic, or the elements `user` and `password`."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway import clock
from gateway.frontends import Environ
from gateway.frontends.body import shown
from gateway.frontends.credentials import basic
from gateway.frontends.soap.faults import WSSE, Fault
from gateway.frontends.soap.tree import Node

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_TOKEN = (WSSE, "UsernameToken")
_TIMESTAMP = (WSU, "Timestamp")
# What clocks may differ by.
_SKEW = timedelta(minutes=5)

Pair = tuple[str | None, str | None]
"""A login and a secret; None for one that is not given."""


def credentials(security: Sequence[Node], environ: Environ, elements: Pair) -> Pair:
    """The login and the secret of a call, from wherever they are given.

    `security` are the Security header blocks, `environ` has the Authorization header, `elements` is what stands
    in the request itself. Where two places disagree the secret is one that nobody has: such a call is
    refused, counted and logged as any other with a wrong password. Raises `Fault` for a security header that
    asks for more than is served.
    """
    if not security and "HTTP_AUTHORIZATION" not in environ:
        return elements
    pairs = [token(security), *_basic(environ), elements]
    logins = [login for login, _ in pairs if login]
    given = [secret for _, secret in pairs if secret]
    if any(one != logins[0] for one in logins) or any(one != given[0] for one in given):
        given = [secrets.token_urlsafe()]
    return logins[0] if logins else None, given[0] if given else None


def _basic(environ: Environ) -> list[Pair]:
    """The credentials of HTTP Basic; where they cannot be read, ones that nobody has."""
    try:
        given = basic(environ)
    except ValueError:
        return [(None, secrets.token_urlsafe())]
    return [] if given is None else [given]


def token(security: Sequence[Node]) -> Pair:
    """The credentials of a UsernameToken with a PasswordText (WS-Security UsernameToken Profile 1.0)."""
    found: list[Node] = []
    for child in (child for block in security for child in block.children):
        if child.name == _TOKEN:
            found.append(child)
        elif child.name == _TIMESTAMP:
            _check_time(child)
        else:
            raise _fault(
                "UnsupportedSecurityToken",
                f"The Security header's {shown(child.name[1])} is not served: it may hold a UsernameToken.",
            )
    if len(found) > 1:
        raise _fault("InvalidSecurity", "The Security header holds more than one UsernameToken.")
    return _opened(found[0]) if found else (None, None)


def _opened(node: Node) -> Pair:
    login = secret = None
    for child in node.children:
        if child.name == (WSSE, "Username"):
            login = child.text
        elif child.name == (WSSE, "Password"):
            kind = child.attributes.get("Type", "")
            if kind and not kind.endswith("#PasswordText"):
                raise _fault(
                    "UnsupportedSecurityToken",
                    "Only a password of the type PasswordText is served: passwords are stored hashed, so that a"
                    " digest of one cannot be checked. Use HTTPS.",
                )
            secret = child.text
    return login, secret


def _check_time(timestamp: Node) -> None:
    expires = next((child.text.strip() for child in timestamp.children if child.name == (WSU, "Expires")), None)
    if expires is None:
        return
    try:
        until = datetime.fromisoformat(expires)
    except ValueError:
        raise _fault("InvalidSecurity", "The Timestamp's Expires is no date and time.") from None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    try:
        over = until + _SKEW < datetime.fromtimestamp(clock.now() / 1_000_000, UTC)
    except OverflowError:
        return
    if over:
        raise _fault("MessageExpired", "The message's Timestamp has expired; are both clocks right?", WSU)


def _fault(kind: str, reason: str, namespace: str = WSSE) -> Fault:
    return Fault(kind, reason, namespace=namespace)
