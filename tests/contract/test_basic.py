"""HTTP Basic at the front door: credentials in the header alone, and a status for every error."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.conftest import World
from tests.support.door import FORM, JSON, PASSWORD, Door, Login, form
from tests.support.rawhttp import Response, ask

CHALLENGE = 'Basic realm="Trunkline", charset="UTF-8"'
MALFORMED = "Authorization: Basic must hold user:password in UTF-8, as base64 (RFC 7617)."
MISSING = "Give the access's login and secret as Authorization: Basic (RFC 7617)."
SEND = {"class": "sms", "method": "sendsms", "from": "Shop", "to": "34600000001", "sms": "Hi"}


def authorization(user: str, password: str) -> str:
    return "Authorization: Basic " + b64encode(f"{user}:{password}".encode()).decode()


def request(
    door: Door, query: str, *headers: str, method: str = "GET", content: bytes = b"", source: str = "127.0.0.1"
) -> Response:
    lines = [f"{method} /api/basic/?{query} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return ask(door.gateway.port, "\r\n".join([*lines, "", ""]).encode() + content, source)


def call(door: Door, who: Login, values: dict[str, str], **more: Any) -> tuple[int, Any]:
    """The status and the body's JSON of a call."""
    answer = request(door, form(values).decode(), authorization(who.user, who.password), **more)
    return answer.status, json.loads(answer.body)


def test_a_message_and_its_delivery(world: World) -> None:
    status, sent = call(world.door, world.owner.access, SEND)
    assert (status, sent["status"]) == (200, "SUCCESS")
    ask_for = {"class": "sms", "method": "getdeliverystatus", "messages": sent["result"]["messageid"]}
    assert call(world.door, world.owner.access, ask_for)[1]["result"][0]["messageid"] == sent["result"]["messageid"]


@pytest.mark.parametrize(("kind", "content"), [(FORM, form(SEND)), (JSON, json.dumps(SEND).encode())])
def test_post(world: World, kind: str, content: bytes) -> None:
    headers = [authorization(world.owner.access.user, world.owner.access.password), f"Content-Type: {kind}"]
    answer = request(world.door, "", *headers, method="POST", content=content)
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "SUCCESS")


def test_xml(world: World) -> None:
    who = world.owner.access
    answer = request(world.door, "class=nosuch&method=x&output=xml", authorization(who.user, who.password))
    assert (answer.status, answer.headers["content-type"]) == (404, "application/xml; charset=utf-8")
    assert b"<error>INCORRECT_CLASS</error>" in answer.body


BALANCE = {"class": "user", "method": "getbalance"}
ERRORS = [
    ({}, "MISSING_CLASS", 400),
    ({"class": "user"}, "MISSING_METHOD", 400),
    ({"class": "nosuch", "method": "getbalance"}, "INCORRECT_CLASS", 404),
    ({"class": "user", "method": "nosuch"}, "INCORRECT_METHOD", 404),
    ({"class": "sms", "method": "sendsms"}, "MISSING_COMPULSORY_PARAM", 400),
    ({**SEND, "to": "x"}, "INCORRECT_PARAM", 400),
    ({**BALANCE, "output": "yaml"}, "INCORRECT_PARAM", 400),
    ({"class": "template", "method": "gettemplates", "type": "fax"}, "INCORRECT_TYPE", 400),
    ({"class": "sms", "method": "sendsmsfromtemplate", "to": "34600000001", "idtemplate": "$other_template"},
     "NOT_ACCESS_TO_TEMPLATE", 403),
    ({"class": "group", "method": "getcontacts", "idgroup": "$other_group"}, "NOT_ACCESS_TO_GROUP", 403),
]  # fmt: skip


@pytest.mark.parametrize(("values", "code", "status"), ERRORS, ids=[f"{c[1]} {n}" for n, c in enumerate(ERRORS)])
def test_status_of_an_error(world: World, values: dict[str, str], code: str, status: int) -> None:
    filled = {name: world.fill(value) for name, value in values.items()}
    found, body = call(world.door, world.owner.access, filled)
    assert (found, body["status"], body["error"]) == (status, "ERROR", code)
    plain = world.door.call(world.owner.access, "x.y", filled) if "class" in values and "method" in values else body
    assert body == plain


def test_no_credits(world: World) -> None:
    assert call(world.door, world.poor.access, SEND)[0] == 402


def test_wrong_secret(world: World) -> None:
    answer = request(world.door, form(BALANCE).decode(), authorization(world.other.access.user, "wrong"))
    assert (answer.status, answer.headers["www-authenticate"]) == (401, CHALLENGE)
    assert json.loads(answer.body)["error"] == "INCORRECT_USER_PASSWORD"


def test_failed_logins_are_held_up(world: World) -> None:
    # As many as it takes: meanwhile some are forgiven.
    answers = [request(world.door, form(BALANCE).decode(), authorization("nobody-basic", "x"), source="127.0.0.77")]
    while answers[-1].status == 401 and len(answers) < 60:
        answers.append(
            request(world.door, form(BALANCE).decode(), authorization("nobody-basic", "x"), source="127.0.0.77")
        )
    assert [answer.status for answer in answers[-2:]] == [401, 429]
    assert len(answers) > 10
    assert answers[-1].headers["retry-after"] == "60"
    assert "www-authenticate" not in answers[-1].headers


def test_rate(world: World) -> None:
    who = world.door.access(world.other.email, "--rate", "30/h")
    answers = [request(world.door, form(BALANCE).decode(), authorization(who.user, who.password)) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    # 30 an hour are stored as 0.008 a second.
    assert answers[-1].headers["retry-after"] == "125"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--network", "192.0.2.0/24"), "IP_NOT_ALLOWED"),
        (("--protocol", "http", "--protocol", "jwt"), "NOT_PERMITTED"),
        (("--operation", "sms"), "NOT_PERMITTED"),
    ],
    ids=["network", "protocol", "operation"],
)
def test_what_the_access_may_not(world: World, options: Sequence[str], code: str) -> None:
    status, body = call(world.door, world.door.access(world.other.email, *options), BALANCE)
    assert (status, body["error"]) == (403, code)


def test_confined_to_basic(world: World) -> None:
    who = world.door.access(world.other.email, "--protocol", "basic")
    assert call(world.door, who, BALANCE)[0] == 200
    assert world.door.outcome(who, "user.getbalance") == "NOT_PERMITTED"


@pytest.mark.parametrize(
    "password", ["a:b:c:d:e", "Contraseña 密码 😀", ":starts with it", "ends with it:", "spaces in it  x"]
)
def test_passwords_that_people_choose(door: Door, password: str) -> None:
    customer = door.customer()
    door.cli("account", "password", customer.email, "--password-file", "-", typed=password)
    assert call(door, Login(customer.email, password), BALANCE)[0] == 200
    assert call(door, Login(customer.email, PASSWORD), BALANCE)[0] == 401


def raw(data: bytes) -> str:
    return "Authorization: Basic " + b64encode(data).decode()


HEADERS = [
    ("none", [], MISSING),
    ("another scheme", ["Authorization: Bearer abc"], MISSING),
    ("no scheme", ["Authorization: dXNlcjpwYXNz"], MISSING),
    ("nothing", ["Authorization: Basic"], MALFORMED),
    ("blank", ["Authorization: Basic  "], MALFORMED),
    ("no colon", [raw(b"user")], MALFORMED),
    ("no base64", ["Authorization: Basic user:password"], MALFORMED),
    ("no padding", ["Authorization: Basic dXNlcjpwYQ"], MALFORMED),
    ("two values", [f"{raw(b'a:b')} {raw(b'a:b')[21:]}"], MALFORMED),
    ("parameters", [f'{raw(b"a:b")}, realm="x"'], MALFORMED),
    ("Latin-1", [raw("señor:clave".encode("latin-1"))], MALFORMED),
    ("NUL", [raw(b"user:pass\0word")], MALFORMED),
    ("a line feed", [raw(b"user:pass\nword")], MALFORMED),
    ("a surrogate", [raw(b"user:\xed\xa0\x80")], MALFORMED),
    ("no user", [raw(b":password")], "Give the access's login as user."),
    ("no password", [raw(b"user:")], "Give the access's secret as password."),
    ("only a colon", [raw(b":")], "Give the access's login as user."),
]


@pytest.mark.parametrize(("headers", "detail"), [c[1:] for c in HEADERS], ids=[c[0] for c in HEADERS])
def test_header(world: World, headers: list[str], detail: str) -> None:
    answer = request(world.door, form(BALANCE).decode(), *headers)
    body = json.loads(answer.body)
    assert (answer.status, body["detail"]) == (401, detail)
    assert body["error"] == ("MISSING_PASSWORD" if "secret as password" in detail else "MISSING_USER")
    assert answer.headers["www-authenticate"] == CHALLENGE


def test_base64_of_urls(door: Door) -> None:
    """RFC 4648, section 5: what suds writes where a password's octets make a + or a /."""
    customer = door.customer()
    door.cli("account", "password", customer.email, "--password-file", "-", typed="~~~?>>>???")
    header = urlsafe_b64encode(f"{customer.email}:~~~?>>>???".encode()).decode()
    assert set(header) & set("-_")
    assert request(door, form(BALANCE).decode(), f"Authorization: Basic {header}").status == 200


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_scheme_in_any_case(world: World, scheme: str) -> None:
    header = authorization(world.owner.access.user, world.owner.access.password).replace("Basic", scheme)
    assert request(world.door, form(BALANCE).decode(), header).status == 200


def test_two_headers(world: World) -> None:
    header = authorization(world.owner.access.user, world.owner.access.password)
    assert request(world.door, form(BALANCE).decode(), header, header).status == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_a_foreign_page_cannot_use_what_the_browser_keeps(world: World, site: str) -> None:
    header = authorization(world.owner.access.user, world.owner.access.password)
    answer = request(world.door, form(SEND).decode(), header, f"Sec-Fetch-Site: {site}")
    assert (answer.status, json.loads(answer.body)["error"]) == (403, "NOT_PERMITTED")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_of_our_own_can(world: World, site: str) -> None:
    header = authorization(world.owner.access.user, world.owner.access.password)
    assert request(world.door, form(BALANCE).decode(), header, f"Sec-Fetch-Site: {site}").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods(world: World, method: str) -> None:
    answer = request(world.door, "", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
