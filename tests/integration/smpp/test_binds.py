"""Who may bind, and the command_status of everybody else."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import update

from gateway import clock
from gateway.frontends.smpp.statuses import BIND, BOUND_TOO_OFTEN
from gateway.operations.errors import Code
from gateway.smpp import pdu
from gateway.smpp.codec import encode
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import Tag
from gateway.storage import passwords
from gateway.storage.schema import access, account
from tests.integration.smpp.conftest import Server
from tests.support.smpp_role import Customers, Login

PASSWORD = "seven77"
MISTAKEN = "mist8ken"
SLOW = passwords.hash_password(PASSWORD)
ACCENTED = "contraseña"
ACCENTS = {"stored": passwords.hash_password(ACCENTED), "secret": ACCENTED}
MODES = ("transmitter", "receiver", "transceiver")

Prepare = Callable[[Customers, Login], None]


def nothing(_: Customers, __: Login) -> None:
    """As it was made."""


def revoked(customers: Customers, login: Login) -> None:
    customers.revoke(login)


def expired(customers: Customers, login: Login) -> None:
    customers.change(update(access).where(access.c.id == login.access_id).values(expires_at=clock.now() - 1))


def suspended(customers: Customers, login: Login) -> None:
    customers.change(update(account).where(account.c.id == login.account_id).values(suspended_at=clock.now()))


@dataclass(frozen=True)
class Case:
    """An access and what it is bound with; `outcome` is what the log calls it."""

    status: Status
    outcome: str
    user: str | None = None
    password: str | None = None
    restrictions: dict[str, Any] = field(default_factory=dict)
    prepare: Prepare = nothing


WRONG = "INCORRECT_USER_PASSWORD"
CASES = {
    "right": Case(Status.ESME_ROK, "SUCCESS"),
    "right, a password that is hashed slowly": Case(
        Status.ESME_ROK, "SUCCESS", restrictions={"stored": SLOW, "secret": PASSWORD}
    ),
    "right, beyond ASCII, as UTF-8": Case(
        Status.ESME_ROK, "SUCCESS", password=ACCENTED.encode().decode("latin-1"), restrictions=ACCENTS
    ),
    "right, beyond ASCII, as Latin-1": Case(Status.ESME_ROK, "SUCCESS", password=ACCENTED, restrictions=ACCENTS),
    "permits smpp among others": Case(Status.ESME_ROK, "SUCCESS", restrictions={"protocols": '["http","smpp"]'}),
    "right network": Case(Status.ESME_ROK, "SUCCESS", restrictions={"networks": '["127.0.0.0/8"]'}),
    "wrong password": Case(Status.ESME_RINVPASWD, WRONG, password=MISTAKEN),
    "wrong slow password": Case(
        Status.ESME_RINVPASWD, WRONG, password=MISTAKEN, restrictions={"stored": SLOW, "secret": PASSWORD}
    ),
    "empty password": Case(Status.ESME_RINVPASWD, "MISSING_PASSWORD", password=""),
    "unknown login": Case(Status.ESME_RINVPASWD, WRONG, user="nobody"),
    "unknown login of an e-mail": Case(Status.ESME_RINVPASWD, WRONG, user="nobody.at.all@customers.example.com"),
    "empty login": Case(Status.ESME_RINVPASWD, "MISSING_USER", user=""),
    "login that is no text": Case(Status.ESME_RINVPASWD, WRONG, user="\x01\x7f\xff"),
    "another protocol": Case(Status.ESME_RBINDFAIL, "NOT_PERMITTED", restrictions={"protocols": '["http"]'}),
    "another network": Case(Status.ESME_RBINDFAIL, "IP_NOT_ALLOWED", restrictions={"networks": '["192.0.2.0/24"]'}),
    "another network and a wrong password": Case(
        Status.ESME_RBINDFAIL, "IP_NOT_ALLOWED", password=MISTAKEN, restrictions={"networks": '["192.0.2.0/24"]'}
    ),
    "another IPv6 network": Case(
        Status.ESME_RBINDFAIL, "IP_NOT_ALLOWED", restrictions={"networks": '["2001:db8::/32"]'}
    ),
    "revoked": Case(Status.ESME_RBINDFAIL, "NOT_PERMITTED", prepare=revoked),
    "revoked and a wrong password": Case(Status.ESME_RINVPASWD, WRONG, password=MISTAKEN, prepare=revoked),
    "expired": Case(Status.ESME_RBINDFAIL, "NOT_PERMITTED", prepare=expired),
    "suspended account": Case(Status.ESME_RBINDFAIL, "NOT_PERMITTED", prepare=suspended),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bind(server: Server, case: Case, request: pytest.FixtureRequest) -> None:
    login = server.customers.access(**case.restrictions)
    case.prepare(server.customers, login)
    # A source of its own, so that the guesses of one case do not count against the next.
    source = f"127.0.1.{1 + list(CASES).index(request.node.callspec.id)}"
    with server.esme(source=source) as esme:
        response = esme.bind(
            login.user if case.user is None else case.user,
            login.secret if case.password is None else case.password,
            system_type="OTA",
        )
        assert (type(response), response.command_status) == (pdu.BindTransceiverResp, case.status)
        assert response.system_id == ("Trunkline" if case.status == Status.ESME_ROK else "")
        (row,) = server.customers.logged(source_ip=source, method="bind_transceiver")
    assert (row["protocol"], row["class"], row["outcome"], row["count"]) == ("smpp", "smpp", case.outcome, 1)
    assert ('"system_type":"OTA"' in row["parameters"]) is (case.outcome in {"SUCCESS", "NOT_PERMITTED"})
    for secret in (login.secret, case.password or PASSWORD):
        assert secret not in str(dict(row))
    known = case.user is None
    assert (row["access_id"], row["account_id"]) == ((login.access_id, login.account_id) if known else (None, None))


def test_an_account_binds_with_its_email_in_any_case(server: Server) -> None:
    login = server.customers.access(stored=SLOW, secret=PASSWORD)
    email = f"{login.user}@example.com"
    server.customers.change(update(access).where(access.c.id == login.access_id).values(login=email))
    with server.esme() as esme:
        esme.bound(email.upper(), PASSWORD).unbind()


@pytest.mark.parametrize("mode", MODES)
def test_mode(server: Server, mode: str) -> None:
    login = server.customers.access()
    submits = Status.ESME_RINVBNDSTS if mode == "receiver" else Status.ESME_ROK
    with server.esme() as esme:
        esme.bound(login.user, login.secret, mode)
        sent = esme.request(
            pdu.SubmitSm(source_addr="Shop", source_addr_ton=5, destination_addr="34600000001", short_message=b"a")
        )
        assert (type(sent), sent.command_status) == (pdu.SubmitSmResp, submits)
        esme.unbind()
    rows = server.customers.logged(3, access_id=login.access_id)
    assert [row["method"] for row in rows] == [f"bind_{mode}", "submit_sm", "unbind"]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(pdu.SubmitSm(destination_addr="34600000001"), id="submit_sm"),
        pytest.param(pdu.SubmitMulti(), id="submit_multi"),
        pytest.param(pdu.QuerySm(message_id="1"), id="query_sm"),
        pytest.param(pdu.CancelSm(message_id="1"), id="cancel_sm"),
        pytest.param(pdu.ReplaceSm(message_id="1"), id="replace_sm"),
        pytest.param(pdu.DataSm(), id="data_sm"),
        pytest.param(pdu.DeliverSm(), id="deliver_sm"),
        pytest.param(pdu.Unbind(), id="unbind"),
    ],
)
def test_request_before_the_bind(server: Server, request_: pdu.Pdu) -> None:
    with server.esme() as esme:
        response = esme.request(request_)
        assert response.command_id == request_.command_id | 0x8000_0000
        assert response.command_status == Status.ESME_RINVBNDSTS


@pytest.mark.parametrize("second", MODES)
def test_second_bind_on_a_link(server: Server, second: str) -> None:
    login = server.customers.access()
    with server.esme() as esme:
        esme.bound(login.user, login.secret)
        assert esme.bind(login.user, login.secret, second).command_status == Status.ESME_RALYBND
        assert esme.request(pdu.EnquireLink()).command_status == Status.ESME_ROK
        esme.unbind()
    rows = server.customers.logged(3, access_id=login.access_id)
    assert [(row["method"], row["outcome"]) for row in rows] == [
        ("bind_transceiver", "SUCCESS"),
        (f"bind_{second}", "NOT_PERMITTED"),
        ("unbind", "SUCCESS"),
    ]


def test_second_bind_while_the_first_is_looked_at(server: Server) -> None:
    login = server.customers.access(stored=SLOW, secret=PASSWORD)
    with server.esme() as esme:
        binds = [pdu.BindTransceiver(system_id=login.user, password=PASSWORD) for _ in range(2)]
        esme.send(*binds)
        found = {one.sequence_number: one.command_status for one in (esme.receive(), esme.receive())}
        assert found == {1: Status.ESME_ROK, 2: Status.ESME_RALYBND}


def test_a_refused_bind_may_be_followed_by_a_right_one(server: Server) -> None:
    login = server.customers.access()
    with server.esme() as esme:
        assert esme.bind(login.user, "wrong").command_status == Status.ESME_RINVPASWD
        esme.bound(login.user, login.secret).unbind()


def test_bind_that_cannot_be_read_is_logged(server: Server) -> None:
    source = "127.0.2.1"
    with server.esme(source=source) as esme:
        esme.send_bytes(b"\0\0\0\x20\0\0\0\x09\0\0\0\0\0\0\0\x07" + b"x" * 16)
        response = esme.receive()
        assert (type(response), response.sequence_number) == (pdu.BindTransceiverResp, 7)
        assert response.command_status != Status.ESME_ROK
    (row,) = server.customers.logged(source_ip=source)
    assert (row["method"], row["outcome"], row["login"]) == ("bind_transceiver", "INCORRECT_PARAM", None)


REFUSED_BY_THE_SESSION = {
    "submit_sm on a receiver": (
        "receiver",
        encode(pdu.SubmitSm(destination_addr="34600000001", short_message=b"private", sequence_number=77)),
        "submit_sm",
        "NOT_PERMITTED",
        "submit_sm does not belong in the state BOUND_RX (0x00000004)",
    ),
    "query_sm on a receiver": (
        "receiver",
        encode(pdu.QuerySm(message_id="1", sequence_number=77)),
        "query_sm",
        "NOT_PERMITTED",
        "query_sm does not belong in the state BOUND_RX (0x00000004)",
    ),
    "submit_sm with octets that are no TLV": (
        "transceiver",
        struct.pack("!I", 34) + encode(pdu.SubmitSm(sequence_number=77))[4:] + b"x",
        "submit_sm",
        "INCORRECT_PARAM",
        "the last 1 octets are no whole optional parameter (0x000000C0)",
    ),
}


@pytest.mark.parametrize(
    ("mode", "octets", "method", "outcome", "says"),
    REFUSED_BY_THE_SESSION.values(),
    ids=REFUSED_BY_THE_SESSION,
)
def test_request_that_the_session_refuses_is_in_the_log_of_its_account(
    server: Server, mode: str, octets: bytes, method: str, outcome: str, says: str
) -> None:
    login = server.customers.access()
    with server.esme().bound(login.user, login.secret, mode) as esme:
        esme.send_bytes(octets)
        assert esme.receive().command_status != Status.ESME_ROK
        (row,) = server.customers.logged(access_id=login.access_id, method=method)
    assert (row["class"], row["protocol"], row["source_ip"]) == ("smpp", "smpp", "127.0.0.1")
    assert (row["login"], row["outcome"]) == (login.user, outcome)
    assert json.loads(row["response"])["detail"] == says
    assert row["request_id"].endswith("-77")
    assert "private" not in row["parameters"]


def test_wrong_passwords_are_throttled_by_their_source(server: Server) -> None:
    login = server.customers.access(stored=SLOW, secret=PASSWORD)
    stranger, neighbour = "127.0.3.1", "127.0.3.2"
    with server.esme(source=stranger) as esme:
        statuses = [esme.bind(login.user, f"guess{number}").command_status for number in range(15)]
    assert statuses[:10] == [Status.ESME_RINVPASWD] * 10
    assert Status.ESME_RTHROTTLED in statuses[10:]
    with server.esme(source=neighbour) as esme:
        esme.bound(login.user, PASSWORD).unbind()
    with server.esme(source=stranger) as esme:
        # Proved a moment ago from beside, it is no guess.
        esme.bound(login.user, PASSWORD).unbind()


def test_many_who_come_at_once_with_one_password_are_not_throttled(server: Server) -> None:
    login = server.customers.access(stored=SLOW, secret=PASSWORD)
    links = [server.esme(source="127.0.3.9") for _ in range(30)]
    numbers = [esme.send(pdu.BindReceiver(system_id=login.user, password=PASSWORD)) for esme in links]
    assert numbers == [1] * 30
    assert [esme.expect(pdu.BindReceiverResp).command_status for esme in links] == [Status.ESME_ROK] * 30
    for esme in links:
        esme.close()


@pytest.mark.parametrize(
    ("version", "tlvs"),
    [
        pytest.param(0x00, {}, id="none given"),
        pytest.param(0x33, {}, id="3.3"),
        pytest.param(0x34, {Tag.SC_INTERFACE_VERSION: b"\x34"}, id="3.4"),
        pytest.param(0x50, {Tag.SC_INTERFACE_VERSION: b"\x34"}, id="5.0"),
    ],
)
def test_interface_version(server: Server, version: int, tlvs: dict[int, bytes]) -> None:
    login = server.customers.access()
    with server.esme() as esme:
        response = esme.bind(login.user, login.secret, interface_version=version)
        assert (response.command_status, response.tlvs) == (Status.ESME_ROK, tlvs)


def test_every_outcome_of_a_bind_has_its_status() -> None:
    binds = {Code.MISSING_USER, Code.MISSING_PASSWORD, Code.INCORRECT_USER_PASSWORD, Code.IP_NOT_ALLOWED}
    binds |= {Code.NOT_PERMITTED, Code.TOO_MANY_REQUESTS, Code.UNAVAILABLE, Code.INTERNAL_ERROR}
    assert set(BIND) == binds
    assert Status.ESME_ROK not in BIND.values()
    assert BOUND_TOO_OFTEN == Status.ESME_RALYBND
