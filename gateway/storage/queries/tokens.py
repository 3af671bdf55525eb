"""Refresh tokens, by their digests, and tokens that were revoked before their time.

The refresh tokens that came one from another since one log-in are a family. Each is good once: who shows one again
holds a copy of it, so the family ends (RFC 9700, section 4.14.2).
"""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Connection, insert, select, update

from gateway.storage import versions
from gateway.storage.schema import refresh_token, revoked_token


class Turned(Enum):
    """What became of a refresh token that was to be used."""

    USED = auto()
    REUSED = auto()
    INVALID = auto()


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token as it is stored. `generation` is its access's when the family began."""

    id: int
    access_id: int
    generation: int
    family: str
    expires_at: int
    used: bool
    revoked: bool


def open_family(
    connection: Connection, access_id: int, generation: int, family: str, digest: str, *, now: int, expires_at: int
) -> None:
    """Store the first refresh token of a family, or the next one."""
    values = {"access_id": access_id, "generation": generation, "family": family, "digest": digest}
    connection.execute(insert(refresh_token).values(**values, created_at=now, expires_at=expires_at))


def find(connection: Connection, digest: str) -> Refresh | None:
    """The refresh token with this digest, a used, revoked or expired one too; of whichever access."""
    row = connection.execute(select(refresh_token).where(refresh_token.c.digest == digest)).mappings().one_or_none()
    if row is None:
        return None
    return Refresh(
        row["id"],
        row["access_id"],
        row["generation"],
        row["family"],
        row["expires_at"],
        row["used_at"] is not None,
        row["revoked_at"] is not None,
    )


def turn(
    connection: Connection, digest: str, successor: str, *, now: int, expires_at: int, access_until: int
) -> tuple[Turned, Refresh | None]:
    """Use a refresh token, once, and store the digest of its successor.

    One that was used before ends its family instead, access tokens (which live until `access_until`) included.
    """
    token = find(connection, digest)
    if token is not None:
        _hold(connection, token.family)
        token = find(connection, digest)
    if token is None or token.revoked or now >= token.expires_at:
        return Turned.INVALID, token
    if token.used:
        end_family(connection, token.access_id, token.family, now=now, access_until=access_until)
        return Turned.REUSED, token
    connection.execute(update(refresh_token).where(refresh_token.c.id == token.id).values(used_at=now))
    open_family(
        connection, token.access_id, token.generation, token.family, successor, now=now, expires_at=expires_at
    )
    return Turned.USED, token


def end_family(connection: Connection, access_id: int, family: str, *, now: int, access_until: int) -> None:
    """Revoke all refresh tokens of a family, and its access tokens, which live until `access_until`."""
    _hold(connection, family)
    connection.execute(
        update(refresh_token)
        .where(
            refresh_token.c.family == family,
            refresh_token.c.access_id == access_id,
            refresh_token.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    revoke(connection, access_id, family, access_until)


def revoke(connection: Connection, access_id: int, jti: str, expires_at: int) -> None:
    """Revoke the tokens of an access with this id or family; forgotten after `expires_at`, when they have expired."""
    known = select(revoked_token.c.jti).where(revoked_token.c.access_id == access_id, revoked_token.c.jti == jti)
    versions.bump_tokens(connection)  # its row is locked from here on, so nobody inserts the same meanwhile
    if connection.execute(known).first() is None:
        connection.execute(insert(revoked_token).values(access_id=access_id, jti=jti, expires_at=expires_at))


def any_revoked(connection: Connection, access_id: int, ids: tuple[str, ...]) -> bool:
    """Whether one of these ids of the access's tokens was revoked."""
    query = select(revoked_token.c.jti).where(revoked_token.c.access_id == access_id, revoked_token.c.jti.in_(ids))
    return connection.execute(query.limit(1)).first() is not None


def _hold(connection: Connection, family: str) -> None:
    """Let nobody else use a token of the family meanwhile: its first row stands for all."""
    rows = select(refresh_token.c.id).where(refresh_token.c.family == family).order_by(refresh_token.c.id)
    connection.execute(rows.limit(1).with_for_update()).first()
