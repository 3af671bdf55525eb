"""Giving out tokens, renewing and revoking them: what is asked of `/api/jwt/token` and `/api/jwt/revoke`.

They are operations, so that they pass the same pipeline as every call and are logged, but of no catalogue: only
the front end that tokens are for asks for them.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel
from sqlalchemy import Connection

from gateway import clock, logs
from gateway.clock import DAY, SECOND
from gateway.operations.catalogue import NoParameters, Operation, Parameters
from gateway.operations.context import Change, Context
from gateway.operations.errors import Refusal
from gateway.pipeline.execute import Writes
from gateway.pipeline.tokens import TYPE, Tokens, invalid, refresh_digest
from gateway.settings import Settings
from gateway.storage import signing
from gateway.storage.directory import Directory
from gateway.storage.errors import Incompatible, Unavailable
from gateway.storage.keyfile import Sealer
from gateway.storage.queries import tokens as stored
from gateway.storage.queries.tokens import Turned
from gateway.storage.records import Access
from gateway.storage.signing import OVERLAP, SKEW

CLASS = "jwt"

_REFRESH_BYTES = 32


class RefreshParameters(Parameters):
    """RFC 6749, section 6."""

    refresh_token: str


class RevokeParameters(Parameters):
    """RFC 7009, section 2.1; a hint at the token's kind is not needed."""

    token: str


class TokenResult(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Grants:
    """The operations that give out and revoke tokens: `password`, `refresh`, `revoke`."""

    def __init__(
        self, directory: Directory, tokens: Tokens, writer: Writes, sealer: Sealer, settings: Settings
    ) -> None:
        self._directory = directory
        self._tokens = tokens
        self._writer = writer
        self._sealer = sealer
        self._settings = settings
        self._signing: tuple[str, Ed25519PrivateKey] | None = None
        self.password = _operation("token", NoParameters, TokenResult, self._give)
        self.refresh = _operation("token", RefreshParameters, TokenResult, self._renew)
        self.revoke = _operation("revoke", RevokeParameters, None, self._end)

    def _give(self, context: Context, _: NoParameters) -> Change:
        """The first tokens of a new family, for who has proved who calls by login and secret."""
        family, refresh = secrets.token_hex(16), _new_refresh_token()
        access = context.access
        result = self._result(access, family, refresh)

        def work(connection: Connection) -> Mapping[str, Any]:
            stored.open_family(
                connection,
                access.id,
                access.generation,
                family,
                refresh_digest(refresh),
                now=context.now,
                expires_at=self._refresh_until(context.now),
            )
            return result

        return Change(work)

    def _renew(self, context: Context, parameters: RefreshParameters) -> Change:
        """The next tokens of a family; of two who use a refresh token at once, the second ends the family."""
        digest, refresh = refresh_digest(parameters.refresh_token), _new_refresh_token()
        with context.read() as connection:
            found = stored.find(connection, digest)
        if found is None or found.access_id != context.access.id:
            raise invalid("The refresh token is unknown or has expired.")
        result = self._result(context.access, found.family, refresh)

        def work(connection: Connection) -> Mapping[str, Any] | Refusal:
            turned, _ = stored.turn(
                connection,
                digest,
                refresh_digest(refresh),
                now=context.now,
                expires_at=self._refresh_until(context.now),
                access_until=context.now + OVERLAP,
            )
            match turned:
                case Turned.USED:
                    return result
                case Turned.REUSED:
                    return invalid("The refresh token was used before, so all that came from it ended: log in again.")
                case Turned.INVALID:
                    return invalid("The refresh token has expired or was revoked: log in again.")

        return Change(work)

    def _end(self, context: Context, parameters: RevokeParameters) -> Change:
        """End an access token, or a refresh token with all of its family."""
        access_id, token = context.access.id, parameters.token
        if is_refresh_token(token):
            with context.read() as connection:
                found = stored.find(connection, refresh_digest(token))
            if found is None or found.access_id != access_id:
                raise invalid("The refresh token is unknown or has expired.")
            family, until = found.family, context.now + OVERLAP
            return Change(
                lambda connection: stored.end_family(
                    connection, access_id, family, now=context.now, access_until=until
                )
            )
        opened = self._tokens.bearer(token).verified()
        until = int((opened.expires_at + SKEW + 1) * SECOND)
        return Change(lambda connection: stored.revoke(connection, access_id, opened.ids[0], until))

    def _result(self, access: Access, family: str, refresh: str) -> Mapping[str, Any]:
        kid, key = self._key()
        now = clock.now() // SECOND
        life, audience = self._settings.access_token_seconds, self._settings.audience
        claims = {
            "iss": audience,
            "aud": audience,
            "sub": access.login,
            "iat": now,
            "exp": now + life,
            "jti": secrets.token_urlsafe(16),
            "sid": family,
            "ver": f"{access.id}.{access.generation}",
        }
        token = jwt.encode(claims, key, signing.ALGORITHM, {"kid": kid, "typ": TYPE})
        return {"access_token": token, "token_type": "Bearer", "expires_in": life, "refresh_token": refresh}

    def _key(self) -> tuple[str, Ed25519PrivateKey]:
        """The key to sign with; made by whoever needs the first. Raises Unavailable where it cannot be opened."""
        try:
            current = self._directory.signing_key()
            if current is None:
                self._writer.transact(lambda connection: signing.first(connection, self._sealer, clock.now()))
                current = self._directory.signing_key()
            if current is None:
                raise AssertionError("the signing key that was made is not there")
            if self._signing is None or self._signing[0] != current.kid:
                self._signing = current.kid, signing.opened(self._sealer, current)
        except (Incompatible, OSError) as error:
            logs.error("no token can be signed", reason=str(error))
            raise Unavailable("No token can be signed now; the operator finds the reason in the log.") from None
        return self._signing

    def _refresh_until(self, now: int) -> int:
        return now + self._settings.refresh_token_days * DAY


def is_refresh_token(token: str) -> bool:
    """Whether a token is none with three parts, as an access token has."""
    return "." not in token


def _new_refresh_token() -> str:
    return secrets.token_urlsafe(_REFRESH_BYTES)


def _operation(method: str, parameters: type[Parameters], result: Any, run: Any) -> Operation:
    return Operation(CLASS, method, parameters, result, (), "", {}, run)
