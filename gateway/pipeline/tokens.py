"""Tokens that prove who calls: JSON Web Tokens (RFC 7519), ours and those that customers sign, and refresh tokens.

After RFC 8725, JWT Best Current Practices: each key has one algorithm and the token's `alg` must name it; `kid` is
only looked up; `jku`, `x5u`, `jwk`, `x5c` are not even read, and what `crit` would make us understand is refused;
`exp`, `iat`, `iss`, `aud`, `sub`, `typ` and `jti` are compulsory, and lifetimes bounded. A token is parsed only
up to `LONGEST` characters, and its signature is checked before anything is told of its contents.
"""

import re
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any

import jwt
import orjson

from gateway import clock
from gateway.clock import SECOND
from gateway.operations.errors import Code, Refusal
from gateway.pipeline import ipfilter
from gateway.storage.database import Database
from gateway.storage.directory import MAX_LOGIN, Directory
from gateway.storage.queries import keys
from gateway.storage.queries import tokens as stored
from gateway.storage.records import Access, Key
from gateway.storage.signing import LIFE, SKEW

LONGEST = 4096
"""Characters of a token."""

TYPE = "at+jwt"
"""The `typ` of our access tokens (RFC 9068, section 2.1)."""

_THEIR_TYPES = ("jwt", TYPE, "application/jwt", f"application/{TYPE}")
_ALGORITHMS = ("RS256", "ES256", "EdDSA")
_REMEMBERED = 10_000
_PART = re.compile(r"[A-Za-z0-9_-]+")
_ID = re.compile(r"[!-~]{1,128}")
_VERSION = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")
_LATEST = 2**40

_jws = jwt.PyJWS(algorithms=_ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Opened:
    """A token whose signature and claims were right; whether they still are, the configuration tells.

    `ids` are its `jti` and, of ours, the family it came from. `expires_at` is in seconds. `generation` is None
    of a token that a customer signed.
    """

    key: Key
    login: str
    access_id: int
    generation: int | None
    ids: tuple[str, ...]
    expires_at: float


@dataclass(slots=True)
class _Known:
    opened: Opened
    stamp: tuple[int, int]


class Tokens:
    """Verifies tokens. One that was verified is remembered, and looked at anew when the configuration changed.

    `now` gives UTC microseconds.
    """

    def __init__(
        self, directory: Directory, database: Database, audience: str, now: Callable[[], int] = clock.now
    ) -> None:
        self._directory = directory
        self._database = database
        self._audience = audience
        self._now = now
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def bearer(self, text: str) -> "Bearer":
        """An access token as the proof of a call, whatever it is worth."""
        return Bearer(self, text)

    def refresh(self, text: str) -> "Refreshing":
        """A refresh token as the proof of a request for new tokens or for its end, whatever it is worth."""
        return Refreshing(self._directory, self._database, text, self._now)

    def remembered(self, digest: bytes) -> Opened | None:
        """What is known of the token with this digest."""
        known = self._known.get(digest)
        return None if known is None else known.opened

    def access(self, digest: bytes, login: str, source_ip: str, verify: Callable[[], Opened]) -> Access:
        """Give the access of a token; `verify` is called where it is not remembered.

        Raises `Refusal`: IP_NOT_ALLOWED before the token is looked at, INCORRECT_USER_PASSWORD for one that is
        wrong, has expired or was revoked.
        """
        directory = self._directory
        # Taken before anything is read, so that what is remembered is at least as new.
        stamp = (directory.version, directory.tokens_version)
        access = directory.access(login)
        if access is None:
            raise unknown()
        ipfilter.check(access, source_ip)
        known = self._known.get(digest)
        opened = verify() if known is None else known.opened
        if opened.access_id != access.id:
            raise unknown()
        if self._now() >= (opened.expires_at + SKEW) * SECOND:
            self._known.pop(digest, None)
            raise invalid("The token has expired.")
        if known is None or known.stamp != stamp:
            if not self._stands(opened, access):
                self._known.pop(digest, None)
                raise invalid("The token, its key or what it was got with was revoked or changed.")
            self._remember(digest, _Known(opened, stamp))
        return access

    def verify(self, text: str, header: Mapping[str, Any]) -> Opened:
        """Check a token's signature, then its claims. Raises `Refusal` (INCORRECT_USER_PASSWORD)."""
        key = self._directory.key(header["kid"])
        if key is None or header["alg"] != key.algorithm:
            raise unknown()
        try:
            payload = _jws.decode(text, key.public_key, algorithms=[key.algorithm])
        except (jwt.PyJWTError, ValueError):
            raise unknown() from None
        claims = _object(payload)
        if claims is None:
            raise malformed()
        _check_times(claims, self._now() / SECOND)
        ids = [_claimed_id(claims, "jti")]
        login = str(claims.get("sub"))
        if key.access_id is not None:
            self._check_names(claims, login, self._audience in _listed(claims.get("aud")))
            access_id, generation = key.access_id, None
        else:
            self._check_names(claims, self._audience, claims.get("aud") == self._audience)
            found = _VERSION.fullmatch(str(claims.get("ver")))
            if found is None:
                raise malformed()
            access_id, generation = int(found[1]), int(found[2])
            ids.append(_claimed_id(claims, "sid"))
        return Opened(key, login, access_id, generation, tuple(ids), claims["exp"])

    def _check_names(self, claims: Mapping[str, Any], issuer: str, for_us: bool) -> None:
        if claims.get("iss") != issuer:
            raise invalid("The token's iss must be the login that its sub is.")
        if not for_us:
            raise invalid(f"The token's aud must be {self._audience}.")

    def _stands(self, opened: Opened, access: Access) -> bool:
        key = self._directory.key(opened.key.kid)
        if key is None or key.public_key != opened.key.public_key:
            return False
        if key.retires_at is not None and self._now() >= key.retires_at:
            return False
        # A greater one is of a change that another process knew of sooner.
        if opened.generation is not None and opened.generation < access.generation:
            return False
        with self._database.read() as connection:
            return not stored.any_revoked(connection, access.id, opened.ids)

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known.pop(digest, None)
        self._known[digest] = known
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


class Bearer:
    """An access token as a call's proof. `login` is whose it says it is, None where that cannot be read."""

    __slots__ = ("_digest", "_header", "_problem", "_text", "_tokens", "login")

    def __init__(self, tokens: Tokens, text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        self._header: Mapping[str, Any] = {}
        self._problem: Refusal | None = None
        self.login: str | None = None
        known = tokens.remembered(self._digest)
        if known is not None:
            self.login = known.login
            return
        try:
            self._header, self.login = _read(text)
        except Refusal as problem:
            self._problem = problem

    def access(self, source_ip: str) -> Access:
        """Give the access that this proves. Raises `Refusal`: IP_NOT_ALLOWED, INCORRECT_USER_PASSWORD."""
        if self.login is None:
            raise self._problem or unknown()
        return self._tokens.access(self._digest, self.login, source_ip, self.verified)

    def verified(self) -> Opened:
        """What the token says, its signature and claims checked. Raises `Refusal` (INCORRECT_USER_PASSWORD)."""
        return self._tokens.remembered(self._digest) or self._tokens.verify(
            self._text, self._header or _read(self._text)[0]
        )


class Refreshing:
    """A refresh token as a proof: it stands for the access that it was given to, from wherever that may call."""

    __slots__ = ("_database", "_digest", "_directory", "_now")

    def __init__(self, directory: Directory, database: Database, text: str, now: Callable[[], int]) -> None:
        self._directory = directory
        self._database = database
        self._digest = refresh_digest(text)
        self._now = now

    def access(self, source_ip: str) -> Access:
        """Give the access. A token that was used before passes: where it is used again, its family ends.

        Raises `Refusal`: IP_NOT_ALLOWED, INCORRECT_USER_PASSWORD.
        """
        with self._database.read() as connection:
            found = stored.find(connection, self._digest)
        access = None if found is None else self._directory.access_by_id(found.access_id)
        if found is None or access is None:
            raise invalid("The refresh token is unknown or has expired.")
        ipfilter.check(access, source_ip)
        if found.revoked or self._now() >= found.expires_at or found.generation != access.generation:
            raise invalid("The refresh token has expired or was revoked: log in again.")
        return access


def refresh_digest(text: str) -> str:
    """What is stored of a refresh token: it is random and long, so that a fast digest keeps it."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def invalid(detail: str) -> Refusal:
    """A token proves nothing, for this reason."""
    return Refusal(Code.INCORRECT_USER_PASSWORD, detail)


def unknown() -> Refusal:
    """A token is not one of whom it says; which part of it is wrong is told to nobody."""
    return invalid("The token is not signed with a key that is known for its subject, by the algorithm of that key.")


def malformed() -> Refusal:
    """A token is none."""
    return invalid("The token is no JSON Web Token that can be used here.")


def _read(text: str) -> tuple[Mapping[str, Any], str]:
    """Give a token's header and whose it says it is, neither of them proved."""
    parts = text.split(".") if len(text) <= LONGEST else []
    if len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise malformed() if parts else invalid(f"The token is longer than {LONGEST} characters.")
    header, claims = (_object(_decoded(part)) for part in parts[:2])
    if header is None or claims is None:
        raise malformed()
    if "crit" in header or "b64" in header:
        raise invalid("The token's header needs what is not known here: leave crit and b64 out.")
    kid, type_, login = header.get("kid"), header.get("typ"), claims.get("sub")
    if not (isinstance(kid, str) and keys.KID.fullmatch(kid)) or not isinstance(header.get("alg"), str):
        raise invalid("The token's header must have the kid of its key, and alg.")
    if not isinstance(type_, str) or not (
        type_ == TYPE if kid.startswith(keys.OURS) else type_.lower() in _THEIR_TYPES
    ):
        raise invalid("The token's typ must be JWT.")
    if not isinstance(login, str) or not 0 < len(login) <= MAX_LOGIN:
        raise invalid("The token's sub must be the login of its access.")
    return header, login


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = (_time(claims, name) for name in ("iat", "exp"))
    if max(issued, _time(claims, "nbf") if "nbf" in claims else 0) > now + SKEW:
        raise invalid("The token is not yet valid: its iat or nbf is in the future.")
    if not 0 < expires - issued <= LIFE:
        raise invalid(f"The token's exp must be later than its iat, by at most {LIFE} seconds.")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise invalid(f"The token's {name} must be a number of seconds since 1970.")
    return float(value)


def _claimed_id(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise invalid(f"The token must have a {name} of 1 to 128 printable ASCII characters.")
    return value


def _listed(audience: Any) -> list[Any]:
    return audience if isinstance(audience, list) else [audience]
