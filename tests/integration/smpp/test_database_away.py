"""A server whose database is away: it serves nobody, says so, and goes on when the database is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from tests.support.postgresql import Server
from tests.support.smpp import Esme
from tests.support.smpp_role import Customers, Login, Role, role
from tests.support.wait import until


def a_message() -> pdu.SubmitSm:
    return pdu.SubmitSm(source_addr="Shop", source_addr_ton=5, destination_addr="34600000001", short_message=b"a")


@pytest.fixture
def name(postgresql: Server, postgresql_template: str) -> Iterator[str]:
    """A migrated database that can be taken away."""
    with postgresql.database(postgresql_template) as found:
        yield found


@pytest.fixture
def customers(postgresql: Server, name: str) -> Iterator[Customers]:
    found = Customers(postgresql.url(name))
    yield found
    found.close()


@pytest.fixture
def running(postgresql: Server, name: str, customers: Customers, tmp_path: Path) -> Iterator[Role]:
    with role(tmp_path, postgresql.url(name), TRUNKLINE_SMPP_SESSION_INIT="60") as found:
        yield found


def away(server: Server, name: str) -> None:
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )


def bind(running: Role, login: Login) -> int:
    with Esme(running.port) as esme:
        return int(esme.bind(login.user, login.secret, timeout=60).command_status)


def test_nobody_is_served_while_the_database_is_away(
    postgresql: Server, name: str, running: Role, customers: Customers
) -> None:
    login, fresh = customers.access(), customers.access()
    with Esme(running.port) as esme:
        esme.bound(login.user, login.secret)
        assert esme.request(a_message()).command_status == Status.ESME_ROK
        away(postgresql, name)
        try:
            # Known logins and unknown ones alike; the session stays, and what it submits is refused.
            assert bind(running, fresh) == Status.ESME_RSYSERR
            assert bind(running, login) == Status.ESME_RSYSERR
            assert esme.request(a_message(), timeout=60).command_status == Status.ESME_RSYSERR
            assert esme.request(pdu.EnquireLink(), timeout=60).command_status == Status.ESME_ROK
        finally:
            postgresql.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        until(lambda: esme.request(a_message(), timeout=60).command_status == Status.ESME_ROK, 30, "service again")
        until(lambda: bind(running, fresh) == Status.ESME_ROK, 30, "binds again")
        esme.unbind()
    assert "Traceback" not in running.errors


def test_stop_while_the_database_is_away(postgresql: Server, name: str, running: Role, customers: Customers) -> None:
    login = customers.access()
    with Esme(running.port) as esme:
        esme.bound(login.user, login.secret)
        away(postgresql, name)
        try:
            assert running.stop() == 0
        finally:
            postgresql.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert isinstance(esme.wait_closed()[0], pdu.Unbind)
    assert "Traceback" not in running.errors
