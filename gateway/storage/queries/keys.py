"""Keys that sign tokens: customers' own, and ours. Each has one algorithm, and a kid that is nobody else's."""

import re
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from gateway.storage import versions
from gateway.storage.errors import Conflict, Taken
from gateway.storage.records import Key, SigningKey
from gateway.storage.schema import access, access_key, signing_key

KID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""What the id of a key looks like."""

OURS = "trunkline-"
"""What every kid of our own keys begins with, and no customer's."""

MOST = 10
"""Keys of one access at a time."""


def add(
    connection: Connection, account_id: int, access_id: int, kid: str, algorithm: str, public_key: str, now: int
) -> int:
    """Let an access of the account sign tokens with a key (PEM); the key's id.

    A removed key gives its kid up. Raises Taken for a kid that is in use, Conflict for an access that has ten
    keys, LookupError where the account has no such access.
    """
    if not _owns(connection, account_id, access_id):
        raise LookupError(f"the account {account_id} has no access {access_id}")
    connection.execute(delete(access_key).where(access_key.c.kid == kid, access_key.c.revoked_at.is_not(None)))
    if kid.startswith(OURS) or connection.execute(select(access_key.c.id).where(access_key.c.kid == kid)).first():
        raise Taken(f"The kid {kid!r} is taken: choose another one with --kid.")
    if len([row for row in list_(connection, account_id, access_id) if row["revoked_at"] is None]) >= MOST:
        raise Conflict(f"An access has {MOST} keys at most: remove one first.")
    values = {"kid": kid, "algorithm": algorithm, "public_key": public_key, "created_at": now}
    made = connection.execute(insert(access_key).values(access_id=access_id, **values).returning(access_key.c.id))
    versions.bump(connection)
    return int(made.scalar_one())


def list_(connection: Connection, account_id: int, access_id: int) -> Sequence[RowMapping]:
    """The keys of an access of the account in the order they were added, removed ones too."""
    query = (
        select(access_key)
        .join(access, access.c.id == access_key.c.access_id)
        .where(access.c.account_id == account_id, access_key.c.access_id == access_id)
        .order_by(access_key.c.id)
    )
    return connection.execute(query).mappings().all()


def remove(connection: Connection, account_id: int, access_id: int, kid: str, now: int) -> bool:
    """End a key of an access of the account; whether there was one of this kid."""
    if not _owns(connection, account_id, access_id):
        return False
    ended = connection.execute(
        update(access_key)
        .where(access_key.c.access_id == access_id, access_key.c.kid == kid, access_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(access_key.c.id)
    ).first()
    if ended is not None:
        versions.bump(connection)
    return ended is not None


def by_kid(connection: Connection, kid: str) -> Key | None:
    """The key of this kid, of whichever access or ours; a removed one is none."""
    if kid.startswith(OURS):
        ours = select(signing_key).where(signing_key.c.kid == kid)
        row = connection.execute(ours).mappings().one_or_none()
        if row is None:
            return None
        return Key(row["kid"], row["algorithm"], row["public_key"], retires_at=row["retires_at"])
    theirs = select(access_key).where(access_key.c.kid == kid, access_key.c.revoked_at.is_(None))
    row = connection.execute(theirs).mappings().one_or_none()
    return None if row is None else Key(row["kid"], row["algorithm"], row["public_key"], row["access_id"])


def signing(connection: Connection) -> SigningKey | None:
    """The key that our tokens are signed with; None before the first was made."""
    query = select(signing_key).where(signing_key.c.retires_at.is_(None)).order_by(signing_key.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else SigningKey(row["kid"], row["algorithm"], row["sealed_key"])


def replace_signing(
    connection: Connection, kid: str, algorithm: str, sealed_key: bytes, public_key: str, *, now: int, retires_at: int
) -> None:
    """Sign with another key from now on; those before verify until `retires_at`, or until they retire already."""
    connection.execute(
        update(signing_key)
        .where(or_(signing_key.c.retires_at.is_(None), signing_key.c.retires_at > retires_at))
        .values(retires_at=retires_at)
    )
    values = {"kid": kid, "algorithm": algorithm, "sealed_key": sealed_key, "public_key": public_key}
    connection.execute(insert(signing_key).values(**values, created_at=now))
    versions.bump(connection)


def signing_keys(connection: Connection) -> Sequence[RowMapping]:
    """Our keys that verify or did lately, the newest first: kid, algorithm, created_at, retires_at."""
    columns = signing_key.c.kid, signing_key.c.algorithm, signing_key.c.created_at, signing_key.c.retires_at
    return connection.execute(select(*columns).order_by(signing_key.c.id.desc())).mappings().all()


def _owns(connection: Connection, account_id: int, access_id: int) -> bool:
    query = select(access.c.id).where(access.c.id == access_id, access.c.account_id == account_id)
    return connection.execute(query).first() is not None
