"""SOAP through the whole pipeline: every operation, the errors that any call can meet, and the log."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import insert

from gateway import clock
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.context import Credits, Rows
from gateway.pipeline.call import Reply
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.queries import accesses, log
from gateway.storage.schema import inbound
from tests.support.pipeline import CREDIT, SECRET, Customer, Installation, installed
from tests.support.soap import (
    NS,
    SCHEMA,
    SOAP11,
    SOAP12,
    TYPES,
    Answer,
    Listener,
    check,
    envelope,
    pieces_of,
    post,
    request,
    security,
    token,
)

VERSIONS = [pytest.param(SOAP11, id="1.1"), pytest.param(SOAP12, id="1.2")]


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    with installed(database, tmp_path / "files") as made:
        yield made


@pytest.fixture
def customer(installation: Installation) -> Customer:
    return installation.customer()


def call(customer: Customer, method: str, version: str = SOAP11, **values: str) -> Answer:
    """Call an operation with the customer's access; `from_` stands for `from`."""
    given = {"user": customer.login, "password": SECRET}
    given |= {name.rstrip("_"): value for name, value in values.items()}
    return say(customer.installation, envelope(request(method, given), "", version), version)


def say(installation: Installation, content: bytes, version: str = SOAP11, **environ: Any) -> Answer:
    answer = post(installation.gateway, content, TYPES[version], **environ)
    if installation.observer.failures:
        raise installation.observer.failures[0]
    check(answer)
    return answer


def logged(installation: Installation) -> list[dict[str, Any]]:
    installation.host.flush()
    with installation.database.read() as connection:
        return log.search(connection, since=0, limit=1000).entries[::-1]


def came_in(customer: Customer, text: str) -> None:
    row = {"carrier_id": 1, "account_id": customer.account_id, "source": "34600000009", "destination": "7373"}
    with customer.installation.database.transaction() as connection:
        connection.execute(insert(inbound).values(id=1, **row, text=text, received_at=clock.now()))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_works(customer: Customer, version: str) -> None:
    done: set[str] = set()

    def ask(method: str, **values: str) -> Any:
        done.add(method)
        reply = call(customer, method, version, **values).reply
        assert reply["status"] == "SUCCESS", reply
        assert "error" not in reply
        return reply.get("result")

    template = ask("addtemplate", title="Hi", message="Hello <name> & <mobile>")["id"]
    assert ask("gettemplates")["message"] == "Hello <name> & <mobile>"
    group = ask("creategroup", name="Friends", fields="name")["id"]
    assert ask("getgroups")["fields"] == "name"
    assert ask("addfield", idgroup=group, field="city") is None
    assert ask("getfields", idgroup=group) == ["name", "city"]
    contact = ask("addcontact", idgroup=group, mobile="34600000001", fields="name:Ana")["id"]
    assert ask("modifycontact", idcontact=contact, fields="city:Rome") is None
    assert ask("getcontacts", idgroup=group)["contacts"]["mobile"] == "34600000001"
    one = ask("sendsms", from_="Shop", to="34600000001", sms="Señal <&> 😀")
    assert (one["credits"], one["encoding"], one["segments"]) == ("1", "UCS2", "1")
    ask("sendsmsfromtemplate", to="34600000001", idtemplate=template, params="name:Ana")
    many = ask("sendsmstogroup", from_="Shop", countrycode="34", idgroup=group, sms="Hello")
    assert (many["count"], many["destinations"]["destination"]) == ("1", "34600000001")
    ask("sendsmstogroupfromtemplate", countrycode="34", idgroup=group, idtemplate=template)
    assert ask("getbalance") == "996"
    status = ask("getdeliverystatus", messages=one["messageid"])
    assert (status["sms"], status["deliverystatus"]) == ("Señal <&> 😀", "QUEUED")
    came_in(customer, "Sí <&>")
    (text, sender) = (ask("getinbound")["messages"][name] for name in ("text", "from"))
    assert (text, sender) == ("Sí <&>", "34600000009")
    assert ask("addoptout", number="34600000009") is None
    assert ask("getoptouts")["optouts"]["number"] == "34600000009"
    assert ask("deleteoptout", number="34600000009") is None
    ask("deletefield", idgroup=group, field="city")
    ask("deletecontact", idcontact=contact)
    ask("deletegroup", idgroup=group)
    ask("deletetemplate", idtemplate=template)
    assert done == {method for _, method in CATALOGUE}


def test_amounts_and_ids_are_exact(installation: Installation) -> None:
    customer = installation.customer(123_456_789_012_345)
    installation.set_price("", 1)
    result = call(customer, "sendsms", from_="Shop", to="34600000001", sms="x").reply["result"]
    assert result["credits"] == "0.000001"
    assert int(result["messageid"]) < 2**53
    assert call(customer, "getbalance").reply["result"] == "123456789.012344"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("method", "values", "code", "detail"),
    [
        pytest.param("getbalance", {"user": ""}, "MISSING_USER", "Give the access's login", id="no user"),
        pytest.param("getbalance", {"password": ""}, "MISSING_PASSWORD", "Give the access's", id="no password"),
        pytest.param("getbalance", {"password": "x"}, "INCORRECT_USER_PASSWORD", "The user or", id="wrong password"),
        pytest.param("getbalance", {"user": "nobody"}, "INCORRECT_USER_PASSWORD", "The user or", id="unknown user"),
        pytest.param("sendsms", {}, "MISSING_COMPULSORY_PARAM", "from, to, sms: compulsory", id="missing"),
        pytest.param(
            "sendsms",
            {"from_": "", "to": "1", "sms": "x"},
            "MISSING_COMPULSORY_PARAM",
            "from: compulsory",
            id="empty",
        ),
        pytest.param("sendsms", {"from_": "S", "to": "abc", "sms": "x"}, "INCORRECT_PARAM", "to: ", id="unreadable"),
        pytest.param("deletegroup", {"idgroup": "9"}, "NOT_ACCESS_TO_GROUP", "idgroup: ", id="not his group"),
        pytest.param("gettemplates", {"type": "email"}, "INCORRECT_TYPE", "type: ", id="type"),
        pytest.param("addcontact", {"idgroup": "9"}, "MISSING_MAIN_FIELD", "mobile: ", id="no number"),
    ],
)
def test_business_errors_stand_in_the_reply(
    customer: Customer, method: str, values: dict[str, str], code: str, detail: str, version: str
) -> None:
    answer = call(customer, method, version, **values)
    assert (answer.status, answer.reply["status"], answer.reply["error"]) == (200, "ERROR", code)
    assert answer.reply["detail"].startswith(detail)
    assert "result" not in answer.reply


def test_no_credits(installation: Installation) -> None:
    poor = installation.customer(CREDIT // 2)
    assert call(poor, "sendsms", from_="S", to="34600000001", sms="x").reply["error"] == "NO_CREDITS"


def test_access_without_the_protocol_may_not(installation: Installation, customer: Customer) -> None:
    with installation.database.transaction() as connection:
        accesses.create(
            connection, customer.account_id, "http", "tl_http", _stored(customer), now=1, protocols='["http"]'
        )
    installation.gateway.refresh()
    content = envelope(request("getbalance", {"user": "tl_http", "password": SECRET}))
    assert say(installation, content).reply["error"] == "NOT_PERMITTED"


def _stored(customer: Customer) -> str:
    access = customer.installation.gateway.directory.access(customer.login)
    assert access is not None
    return access.secret


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_credentials_from_each_place(installation: Installation, customer: Customer) -> None:
    header = security(token(customer.login, SECRET))
    basic = {"HTTP_AUTHORIZATION": _basic(customer.login, SECRET)}
    assert say(installation, envelope(request("getbalance"), header)).reply["status"] == "SUCCESS"
    assert say(installation, envelope(request("getbalance")), **basic).reply["status"] == "SUCCESS"
    agreed = envelope(request("getbalance", {"user": customer.login, "password": SECRET}), header)
    assert say(installation, agreed, **basic).reply["status"] == "SUCCESS"


def test_credentials_that_disagree_are_refused_even_if_one_is_right(
    installation: Installation, customer: Customer
) -> None:
    right, wrong = (customer.login, SECRET), (customer.login, "wrong")
    for first, second in ((right, wrong), (wrong, right)):
        elements = request("getbalance", dict(zip(("user", "password"), second, strict=True)))
        by_token = say(installation, envelope(elements, security(token(*first))))
        by_basic = say(installation, envelope(elements), HTTP_AUTHORIZATION=_basic(*first))
        assert by_token.reply["error"] == by_basic.reply["error"] == "INCORRECT_USER_PASSWORD"


def test_calls_are_logged_without_their_secret(installation: Installation, customer: Customer) -> None:
    call(customer, "sendsms", from_="Shop", to="34600000001", sms="Hello")
    call(customer, "getbalance", password="not-the-secret")
    say(installation, envelope(request("getbalance"), security(token(customer.login, SECRET))))
    rows = logged(installation)
    assert [(row["protocol"], row["outcome"]) for row in rows] == [
        ("soap", "SUCCESS"),
        ("soap", "INCORRECT_USER_PASSWORD"),
        ("soap", "SUCCESS"),
    ]
    assert SECRET not in str(rows)
    assert "not-the-secret" not in str(rows)


def test_key_that_was_used_by_another_door_is_known(customer: Customer) -> None:
    values = {"from": "Shop", "to": "34600000001", "sms": "Hello", "idempotencykey": "order-1"}
    first = customer.answer("sms.sendsms", **values)
    again = call(customer, "sendsms", **values).reply["result"]
    assert again["messageid"] == first["messageid"]
    other = call(customer, "sendsms", **{**values, "sms": "Bye"}).reply
    assert other["error"] == "INCORRECT_PARAM"


def test_long_lists_are_sent_while_they_are_read() -> None:
    taken: list[int] = []

    def pages() -> Iterator[list[dict[str, str]]]:
        for page in range(20):
            taken.append(page)
            yield [{"messageid": str(page * 1000 + n), "destination": "34600000001"} for n in range(1000)]

    result = {"id": "1", "count": 20_000, "credits": Credits(20_000_000_000), "destinations": Rows(pages, 1)}
    gateway = Listener(lambda _: Reply(result))
    values = {"user": "u", "password": "p", "from": "S", "countrycode": "34", "idgroup": "1", "sms": "x"}
    pieces = iter(pieces_of(gateway, envelope(request("sendsmstogroup", values))))
    first = next(pieces)
    assert b"<destinations><messageid>0</messageid>" in first
    assert len(taken) < 5
    root = etree.fromstring(first + b"".join(pieces))
    (outer,) = root[0][0]
    assert len(outer.findall(f"{{{NS}}}result/{{{NS}}}destinations")) == 20_000
    SCHEMA.assertValid(root[0][0])


def sent_to_a_group(pages: Callable[[], Iterator[list[dict[str, str]]]]) -> Listener:
    """What answers that a group was sent to, with a list of destinations that is read from the database."""
    return Listener(lambda _: Reply({"id": "1", "count": 1, "credits": Credits(1), "destinations": Rows(pages, 1)}))


SENDSMSTOGROUP = {"user": "u", "password": "p", "from": "S", "countrycode": "34", "idgroup": "1", "sms": "x"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_that_cannot_be_read_is_unavailable(version: str) -> None:
    """The database went away after the send was committed: a reply with its error, as at the other doors."""

    def pages() -> Iterator[list[dict[str, str]]]:
        raise Unavailable("The database is away.")
        yield []

    content = envelope(request("sendsmstogroup", SENDSMSTOGROUP), "", version)
    answer = post(sent_to_a_group(pages), content, TYPES[version])
    check(answer)
    assert answer.status == 200
    assert (answer.reply["status"], answer.reply["error"]) == ("ERROR", "UNAVAILABLE")
    assert "idempotencykey" in answer.reply["detail"]
    assert "result" not in answer.reply


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_that_fails_is_a_fault(version: str) -> None:
    def pages() -> Iterator[list[dict[str, str]]]:
        yield [{}["missing"]]

    answer = post(
        sent_to_a_group(pages), envelope(request("sendsmstogroup", SENDSMSTOGROUP), "", version), TYPES[version]
    )
    check(answer)
    assert answer.status == 500
    assert answer.fault in ("Server", "Receiver")
    assert "missing" not in answer.reason


def test_a_list_that_breaks_off_is_not_ended_as_if_it_were_whole() -> None:
    def pages() -> Iterator[list[dict[str, str]]]:
        for page in range(5):
            yield [{"messageid": str(page * 1000 + n), "destination": "34600000001"} for n in range(1000)]
        raise Unavailable("The database is away.")

    pieces = iter(pieces_of(sent_to_a_group(pages), envelope(request("sendsmstogroup", SENDSMSTOGROUP))))
    assert b"<destinations>" in next(pieces)
    with pytest.raises(Unavailable):
        list(pieces)
