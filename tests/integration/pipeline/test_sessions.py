"""Sessions in the pipeline: what a session's access may, is asked anew for all that is read at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway import clock
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.authenticate import Authenticator
from gateway.pipeline.limit import Limiter
from gateway.pipeline.sessions import Gate, Read
from gateway.pipeline.throttle import Throttle
from gateway.storage import passwords, versions
from gateway.storage.database import Database
from gateway.storage.directory import BLIND_AFTER, Directory, monotonic
from gateway.storage.errors import Blind
from gateway.storage.records import Access
from gateway.storage.schema import access, account
from tests.support.pipeline import Customer, Installation, installed

NETWORK = '["127.0.0.0/8"]'
SMPP_NOT = '["http"]'
STATUS_ONLY = '["sms.getdeliverystatus"]'
NEW_SECRET = passwords.hash_secret("another-secret-Zk99")


class World:
    """An installation, a customer with a session, and a gate whose directory can be made blind."""

    def __init__(self, installation: Installation) -> None:
        self.ahead = 0
        self.installation = installation
        self.customer: Customer = installation.customer()
        gateway = installation.gateway
        self.directory = Directory(installation.database, lambda: monotonic() + self.ahead)
        self.directory.refresh()
        self.gate = Gate(
            gateway.settings,
            installation.database,
            self.directory,
            Authenticator(self.directory, Throttle(gateway.buckets)),
            Limiter(gateway.buckets),
            gateway.logbook,  # type: ignore[arg-type]
        )
        found = self.directory.access(self.customer.login)
        assert found is not None
        self.access: Access = found

    def read(self) -> Read:
        return self.gate.read(self.access, "192.0.2.1", clock.now())

    def change(self, table: Any, **values: Any) -> None:
        row = self.access.id if table is access else self.access.account.id
        with self.installation.database.transaction() as connection:
            connection.execute(update(table).where(table.c.id == row).values(**values))
            versions.bump(connection)
        self.directory.refresh()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with installed(database, tmp_path) as installation:
        yield World(installation)


def test_who_may_is_let_in_with_what_is_known_of_him_now(world: World) -> None:
    world.change(account, sender="New")
    context = world.read().admit("sms", "sendsms")
    assert (context.protocol, context.account.sender, context.access.login) == ("smpp", "New", world.customer.login)
    assert context.tariff.routes.first("34600000001") is not None


REFUSED: dict[str, tuple[Any, dict[str, Any], Code]] = {
    "the secret was changed": (access, {"secret": NEW_SECRET}, Code.INCORRECT_USER_PASSWORD),
    "the login was changed": (access, {"login": "another"}, Code.INCORRECT_USER_PASSWORD),
    "the network": (access, {"networks": NETWORK}, Code.IP_NOT_ALLOWED),
    "revoked": (access, {"revoked_at": 1}, Code.NOT_PERMITTED),
    "expired": (access, {"expires_at": 1}, Code.NOT_PERMITTED),
    "the protocol": (access, {"protocols": SMPP_NOT}, Code.NOT_PERMITTED),
    "the operation": (access, {"operations": STATUS_ONLY}, Code.NOT_PERMITTED),
    "suspended": (account, {"suspended_at": 1}, Code.NOT_PERMITTED),
}


@pytest.mark.parametrize(("table", "values", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_session_whose_access_does_not_hold(world: World, table: Any, values: dict[str, Any], code: Code) -> None:
    world.read().admit("sms", "sendsms")
    world.change(table, **values)
    read = world.read()
    for _ in range(3):  # all that was read at once is refused alike
        with pytest.raises(Refusal) as caught:
            read.admit("sms", "sendsms")
        assert caught.value.code is code


def test_each_operation_has_its_permission(world: World) -> None:
    world.change(access, operations=STATUS_ONLY)
    read = world.read()
    with pytest.raises(Refusal):
        read.admit("sms", "sendsms")
    assert read.admit("sms", "getdeliverystatus").access.id == world.access.id


def test_who_is_blind_serves_nobody(world: World) -> None:
    world.ahead = BLIND_AFTER + 1_000_000
    read = world.read()
    for _ in range(2):
        with pytest.raises(Blind):
            read.admit("sms", "sendsms")
    world.directory.refresh()
    world.read().admit("sms", "sendsms")


def test_each_request_counts(world: World) -> None:
    world.change(access, rate=3_000)
    read = world.read()
    for _ in range(3):
        read.admit("sms", "sendsms")
    with pytest.raises(Refusal) as caught:
        read.admit("sms", "sendsms")
    assert caught.value.code is Code.TOO_MANY_REQUESTS


def test_what_is_not_permitted_does_not_count(world: World) -> None:
    world.change(access, rate=2_000, operations=STATUS_ONLY)
    read = world.read()
    for _ in range(10):
        with pytest.raises(Refusal):
            read.admit("sms", "sendsms")
    for _ in range(2):
        read.admit("sms", "getdeliverystatus")
