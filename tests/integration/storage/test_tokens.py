"""Refresh tokens are good once, families end whole, what was revoked is known until it would have expired."""

import threading

import pytest
from sqlalchemy import Connection, func, select

from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.queries import accesses, tokens
from gateway.storage.queries.dispatch import purges
from gateway.storage.queries.tokens import Turned
from gateway.storage.schema import refresh_token, revoked_token, signing_key
from tests.support.rows import HOUR, NOW, add_access, add_account

SOON = NOW + HOUR


@pytest.fixture
def access_id(database: Database) -> int:
    with database.transaction() as connection:
        made = add_access(connection, add_account(connection))
        tokens.open_family(connection, made, 0, "family", "d1", now=NOW, expires_at=SOON)
    return made


def turn(connection: Connection, digest: str, successor: str, now: int = NOW) -> Turned:
    return tokens.turn(connection, digest, successor, now=now, expires_at=SOON, access_until=SOON)[0]


def test_a_chain(database: Database, access_id: int) -> None:
    with database.transaction() as connection:
        assert [turn(connection, f"d{n}", f"d{n + 1}") for n in range(1, 5)] == [Turned.USED] * 4
        last = tokens.find(connection, "d5")
        assert last is not None
        assert (last.access_id, last.family, last.generation, last.used) == (access_id, "family", 0, False)
        assert not tokens.any_revoked(connection, access_id, ("family",))


def test_reuse_ends_the_family_alone(database: Database, access_id: int) -> None:
    with database.transaction() as connection:
        tokens.open_family(connection, access_id, 0, "apart", "a1", now=NOW, expires_at=SOON)
        assert turn(connection, "d1", "d2") is Turned.USED
        assert turn(connection, "d1", "d3") is Turned.REUSED
        assert [turn(connection, digest, "x") for digest in ("d1", "d2", "d3")] == [Turned.INVALID] * 3
        assert tokens.any_revoked(connection, access_id, ("jti", "family"))
        assert not tokens.any_revoked(connection, access_id, ("jti", "apart"))
        assert turn(connection, "a1", "a2") is Turned.USED


@pytest.mark.parametrize(("digest", "now"), [("unknown", NOW), ("d1", SOON), ("", NOW)])
def test_what_is_not_there(database: Database, access_id: int, digest: str, now: int) -> None:
    with database.transaction() as connection:
        assert turn(connection, digest, "d2", now) is Turned.INVALID
        assert tokens.find(connection, "d2") is None


def test_two_at_once(database: Database, access_id: int) -> None:
    """Each in a connection of its own: whoever comes second finds it used, and nobody waits for ever."""
    for number in range(10):
        with database.transaction() as connection:
            tokens.open_family(connection, access_id, 0, f"f{number}", f"f{number}-1", now=NOW, expires_at=SOON)
        found: list[Turned] = []
        start = threading.Barrier(3)

        def one(place: int, number: int = number, into: list[Turned] = found, at: threading.Barrier = start) -> None:
            at.wait()
            with database.transaction() as connection:
                into.append(turn(connection, f"f{number}-1", f"f{number}-2-{place}"))

        threads = [threading.Thread(target=one, args=(place,)) for place in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(each.name for each in found) == ["INVALID", "REUSED", "USED"]


def test_ids_are_an_accesss_own(database: Database, access_id: int) -> None:
    with database.transaction() as connection:
        other = add_access(connection, add_account(connection, "bob@example.com"), "bob")
        tokens.revoke(connection, access_id, "1", SOON)
        tokens.revoke(connection, access_id, "1", SOON)
        assert tokens.any_revoked(connection, access_id, ("0", "1"))
        assert not tokens.any_revoked(connection, access_id, ("0",))
        assert not tokens.any_revoked(connection, other, ("1",))
        tokens.revoke(connection, other, "1", SOON)
        assert tokens.any_revoked(connection, other, ("1",))


def test_processes_see_that_something_was_revoked(database: Database, access_id: int) -> None:
    directory = Directory(database)
    directory.refresh()
    before = directory.version, directory.tokens_version
    with database.transaction() as connection:
        tokens.revoke(connection, access_id, "1", SOON)
    assert not directory.refresh()
    assert directory.version == before[0]
    assert directory.tokens_version > before[1]


@pytest.mark.parametrize("how", ["rotated", "ended"])
def test_a_generation_ends(database: Database, access_id: int, how: str) -> None:
    directory = Directory(database)
    directory.refresh()
    before = directory.access_by_id(access_id)
    assert before is not None
    with database.transaction() as connection:
        if how == "rotated":
            accesses.set_secret(connection, before.account.id, access_id, "sha256$00")
        else:
            accesses.end_tokens(connection, before.account.id, access_id)
    assert directory.refresh()
    after = directory.access_by_id(access_id)
    assert after is not None
    assert (before.generation, after.generation) == (0, 1)
    assert (after.secret == before.secret) == (how == "ended")


def test_what_has_expired_is_purged(database: Database, access_id: int) -> None:
    with database.transaction() as connection:
        tokens.open_family(connection, access_id, 0, "later", "later", now=NOW, expires_at=SOON + HOUR)
        tokens.revoke(connection, access_id, "1", SOON)
        tokens.revoke(connection, access_id, "2", SOON + HOUR)
        for retires_at in (None, SOON, SOON + HOUR):
            values = {"kid": f"trunkline-{retires_at}", "algorithm": "EdDSA", "sealed_key": b"", "public_key": ""}
            connection.execute(signing_key.insert().values(**values, created_at=NOW, retires_at=retires_at))
    for step in purges.steps(SOON + 1, HOUR, HOUR):
        with database.transaction() as connection:
            step(connection)
    with database.read() as connection:
        assert connection.scalars(select(refresh_token.c.digest)).all() == ["later"]
        assert connection.scalars(select(revoked_token.c.jti)).all() == ["2"]
        assert connection.scalar(select(func.count()).select_from(signing_key)) == 2
