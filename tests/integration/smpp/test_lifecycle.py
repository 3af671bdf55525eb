"""How sessions live and end: timers, changes of the configuration, the customer's and the server's own end."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway import clock
from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from gateway.storage import passwords
from gateway.storage.queries import accesses
from gateway.storage.schema import access, account, message, node, outbox, smpp_bind
from tests.integration.smpp.conftest import Server
from tests.support.smpp import Esme, Gone
from tests.support.smpp_role import Customers, Login, Role, role
from tests.support.wait import until

SETTINGS = {
    "TRUNKLINE_SMPP_SESSION_INIT": "4",
    "TRUNKLINE_SMPP_ENQUIRE_LINK": "3",
    "TRUNKLINE_SMPP_RESPONSE": "4",
    "TRUNKLINE_SMPP_SYSTEM_ID": "smsc-1",
}


def a_message(number: int = 1) -> pdu.SubmitSm:
    return pdu.SubmitSm(
        source_addr="Shop",
        source_addr_ton=5,
        destination_addr=f"3460000{number:04d}",
        dest_addr_ton=1,
        short_message=b"hello",
    )


def ending(server: Server, login: Login) -> str:
    """Why the log says that the access's only session ended."""
    (row,) = server.customers.logged(access_id=login.access_id, method="unbind")
    assert (row["outcome"], row["source_ip"], row["protocol"]) == ("SUCCESS", "127.0.0.1", "smpp")
    return str(row["response"])


def test_the_customer_unbinds(server: Server) -> None:
    login = server.customers.access()
    with server.esme() as esme:
        assert esme.bind(login.user, login.secret).system_id == "smsc-1"
        number = esme.send(a_message(), a_message(), pdu.Unbind())
        came = esme.wait_closed()
    # What was asked before the unbind is answered before it, and then the connection is closed.
    assert [type(one) for one in came] == [pdu.SubmitSmResp, pdu.SubmitSmResp, pdu.UnbindResp]
    assert [one.command_status for one in came] == [Status.ESME_ROK] * 3
    assert came[-1].sequence_number == number
    assert "the customer unbound" in ending(server, login)


@pytest.mark.parametrize(
    ("how", "reason"), [(Esme.close, "the customer closed the link"), (Esme.cut, "the link was lost")]
)
def test_the_customer_goes_without_a_word(server: Server, how: Callable[[Esme], None], reason: str) -> None:
    login = server.customers.access()
    esme = server.esme().bound(login.user, login.secret)
    how(esme)
    assert reason in ending(server, login)


def test_session_that_is_not_bound_in_time_is_closed(server: Server) -> None:
    with server.esme() as esme:
        assert esme.wait_closed() == []


def test_refused_binds_do_not_keep_a_connection_open(server: Server) -> None:
    with server.esme(source="127.0.4.1") as esme:
        assert esme.bind("nobody", "x").command_status == Status.ESME_RINVPASWD
        assert esme.wait_closed() == []


def test_silence_is_asked_about(server: Server) -> None:
    login = server.customers.access()
    with server.esme(keeps_alive=False).bound(login.user, login.secret) as esme:
        first = esme.expect(pdu.EnquireLink)
        esme.answer(first)
        esme.expect(pdu.EnquireLink)
        # The second one is left unanswered.
        esme.wait_closed()
    assert "enquire_link was not answered" in ending(server, login)


def test_receipt_that_is_acknowledged_too_late_does_not_come_again(server: Server) -> None:
    login = server.customers.access()
    waiting = select(outbox.c.id).where(outbox.c.account_id == login.account_id)

    def told() -> bool:
        with server.customers.database.read() as connection:
            return connection.execute(waiting).first() is None

    with server.esme().bound(login.user, login.secret) as esme:
        submit = a_message()
        submit.registered_delivery = 1
        message_id = esme.request(submit).message_id
        assert esme.request(pdu.CancelSm(message_id=message_id)).command_status == Status.ESME_ROK
        first = esme.expect(pdu.DeliverSm)
        # It comes again, since it was not answered in time.
        assert esme.expect(pdu.DeliverSm).short_message == first.short_message
        assert not told()
        esme.answer(first)
        until(told, 10, "an empty outbox")
        esme.unbind()


def revoked(customers: Customers, login: Login) -> None:
    customers.revoke(login)


def suspended(customers: Customers, login: Login) -> None:
    customers.change(update(account).where(account.c.id == login.account_id).values(suspended_at=clock.now()))


def rotated(customers: Customers, login: Login) -> None:
    secret = passwords.hash_secret(passwords.new_secret())
    with customers.database.transaction() as connection:
        accesses.set_secret(connection, login.account_id, login.access_id, secret)


def moved(customers: Customers, login: Login) -> None:
    customers.change(update(access).where(access.c.id == login.access_id).values(networks='["192.0.2.0/24"]'))


def taken_off_smpp(customers: Customers, login: Login) -> None:
    customers.change(update(access).where(access.c.id == login.access_id).values(protocols='["http"]'))


def expires(customers: Customers, login: Login) -> None:
    at = clock.now() + clock.SECOND // 2
    customers.change(update(access).where(access.c.id == login.access_id).values(expires_at=at))


@pytest.mark.parametrize("change", [revoked, suspended, rotated, moved, taken_off_smpp, expires])
def test_session_of_an_access_that_ends_is_unbound(
    server: Server, change: Callable[[Customers, Login], None]
) -> None:
    login, other = server.customers.access(), server.customers.access()
    with (
        server.esme().bound(login.user, login.secret) as esme,
        server.esme().bound(other.user, other.secret) as neighbour,
    ):
        change(server.customers, login)
        unbind = esme.expect(pdu.Unbind)
        assert esme.request(a_message()).command_status == Status.ESME_RINVBNDSTS
        esme.answer(unbind)
        esme.wait_closed()
        assert neighbour.request(a_message()).command_status == Status.ESME_ROK
        neighbour.unbind()
    assert server.customers.log(access_id=login.access_id, method="submit_sm", outcome="SUCCESS") == []
    ending(server, login)


def test_session_that_does_not_answer_the_unbind_is_closed(server: Server) -> None:
    login = server.customers.access()
    with server.esme().bound(login.user, login.secret) as esme:
        server.customers.revoke(login)
        assert [type(one) for one in esme.wait_closed()] == [pdu.Unbind]


def test_change_that_ends_nothing_is_taken_up(server: Server) -> None:
    login = server.customers.access()
    with server.esme().bound(login.user, login.secret) as esme:
        allowed = '["sms.getdeliverystatus"]'
        server.customers.change(update(access).where(access.c.id == login.access_id).values(operations=allowed))
        until(lambda: esme.request(a_message()).command_status != Status.ESME_ROK, 10, "the refusal")
        esme.unbind()


# The end of a server: each test has one of its own.


@pytest.fixture
def alone(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Role, Customers]]:
    """A server of the test's own, and its customers."""
    (tmp_path / "trunkline.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path / 'trunkline.db'}"
    customers = Customers(url)
    with role(tmp_path, url) as running:
        yield running, customers
    customers.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_unbinds_everybody_and_finishes_what_was_read(
    alone: tuple[Role, Customers], number: signal.Signals
) -> None:
    running, customers = alone
    login = customers.access()
    kind, silent, unbound = (Esme(running.port) for _ in range(3))
    kind.bound(login.user, login.secret)
    silent.bound(login.user, login.secret, "receiver")
    kind.send(*(a_message() for _ in range(500)))
    kind.receive()
    running.process.send_signal(number)
    answers, refused = 1, 0
    while True:
        one = kind.receive()
        if isinstance(one, pdu.Unbind):
            kind.answer(one)
        elif isinstance(one, pdu.SubmitSmResp):
            answers += one.command_status == Status.ESME_ROK
            refused += one.command_status == Status.ESME_RINVBNDSTS
        if answers + refused == 500:
            break
    kind.wait_closed()
    assert [type(one) for one in silent.wait_closed()] == [pdu.Unbind]
    assert unbound.wait_closed() == []
    assert running.process.wait(30) == 0
    with customers.database.read() as connection:
        stored = connection.execute(select(message.c.id)).all()
        assert connection.execute(select(smpp_bind)).all() == []
        assert connection.execute(select(node)).all() == []
    # Acknowledged is stored, and what was not acknowledged is not.
    assert len(stored) == answers
    assert "Traceback" not in running.errors
    rows = customers.log(method="unbind")
    assert len(rows) == 2
    assert all("the server stops" in row["response"] for row in rows)


def test_stop_without_anybody(alone: tuple[Role, Customers]) -> None:
    running, _ = alone
    assert running.stop() == 0
    with pytest.raises((ConnectionRefusedError, Gone)):
        Esme(running.port)
