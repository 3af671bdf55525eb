"""HTTP clients that others wrote, against the running gateway: HTTP Basic, JWT, and tokens signed elsewhere.

`make test` leaves this folder out, `make test-interop` runs it and writes docs/interoperability.md of it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop import outside
from tests.interop.cells import Cell, held_to
from tests.interop.web.clients import CLIENTS, SIGNER, Client
from tests.support.door import Customer, Door, Login
from tests.support.gateway import Gateway
from tests.support.tokens import private_key, public_pem
from tests.support.wait import until

TEXT = "ñ€ Ελλάδα 日本 😀👩‍👩‍👧 <&> \"quoted\" 'it' +%20\nsecond line"
# As many digits as every JSON reader keeps.
CREDITS = "999999999.123457"
BIG_ID = "9007199254740993"
# The account's own, which is chosen by people: a colon in it, and more than ASCII.
PASSWORD = "contraseña: 密码 and more"
EDDSA = "it signs with RSA and the NIST curves alone: register a key for RS256 or ES256"


@dataclass
class Caller:
    """One client at one front end, as one customer."""

    client: Client
    variant: str
    door: Door
    customer: Customer

    @property
    def url(self) -> str:
        return self.door.gateway.url

    def tokens(self, form: dict[str, str]) -> Any:
        return self.client.ask(f"{self.url}/api/jwt/token", form)

    def log_in(self, who: Login) -> Any:
        answer = self.tokens({"user": who.user, "password": who.password})
        assert answer["status"] == 200, answer
        return answer["reply"]

    def ask(self, operation: str, who: Login | None = None, **values: str) -> Any:
        """One call with the right credentials."""
        login = who or self.customer.access
        if self.variant == "JWT":
            return self.with_token(self.log_in(login)["access_token"], operation, **values)
        url = f"{self.url}/api/basic/{operation}"
        return self.client.ask(url, values, basic=[login.user, login.password])

    def with_token(self, token: str, operation: str = "user/getbalance", **values: str) -> Any:
        return self.client.ask(f"{self.url}/api/jwt/{operation}", values, bearer=token)

    def result(self, operation: str, **values: str) -> Any:
        answer = self.ask(operation, **values)
        assert (answer["status"], answer["reply"]["status"]) == (200, "SUCCESS"), answer
        return answer["reply"]["result"]

    def send(self, text: str = "Hello", **more: Any) -> Any:
        return self.ask("sms/sendsms", **{"from": "Trunkline", "to": "34600000001", "sms": text}, **more)


def sendsms(caller: Caller) -> None:
    result = caller.send()["reply"]["result"]
    assert (result["credits"], result["encoding"], result["segments"]) == (1, "GSM7", 1)
    (row,) = caller.door.call(caller.customer.access, "sms.getdeliverystatus", {"messages": result["messageid"]})[
        "result"
    ]
    assert row["sms"] == "Hello"


def a_list(caller: Caller) -> None:
    rows = caller.result("sms/getdeliverystatus", messages=f"1,{BIG_ID}")
    assert [(row["messageid"], row["deliverystatus"]) for row in rows] == [("1", "UNKNOWN"), (BIG_ID, "UNKNOWN")]


def an_empty_list(caller: Caller) -> None:
    group = caller.door.call(caller.customer.access, "group.creategroup", {"name": "Empty", "fields": "name"})
    assert caller.result("group/getcontacts", idgroup=group["result"]["id"])["contacts"] == []


def a_business_error(caller: Caller) -> None:
    answer = caller.send(who=caller.door.customer("--country", "34").access)
    assert (answer["status"], answer["reply"]["error"]) == (402, "NO_CREDITS")
    assert answer["reply"]["detail"]


def decimals(caller: Caller) -> None:
    rich = caller.door.customer("--credits", CREDITS, "--country", "34")
    assert str(caller.ask("user/getbalance", who=rich.access)["reply"]["result"]) == CREDITS


def text(caller: Caller) -> None:
    sent = caller.send(TEXT)["reply"]["result"]["messageid"]
    (row,) = caller.door.call(caller.customer.access, "sms.getdeliverystatus", {"messages": sent})["result"]
    assert row["sms"] == TEXT
    (row,) = caller.result("sms/getdeliverystatus", messages=sent)
    assert row["sms"] == TEXT


def a_password(caller: Caller) -> None:
    """The account's e-mail and password, with a colon and what is not ASCII."""
    email = f"c{uuid4().hex[:10]}@example.com"
    caller.door.cli("account", "create", email, "--password-file", "-", "--credits", "7", typed=PASSWORD)
    assert caller.ask("user/getbalance", who=Login(email, PASSWORD))["reply"]["result"] == 7


def refused(caller: Caller) -> None:
    """Wrong credentials: 401 with the challenge that RFC 9110 asks for."""
    url = f"{caller.url}/api/{caller.variant.lower()}/user/getbalance"
    if caller.variant == "JWT":
        answer, scheme = caller.client.ask(url, {}, bearer="not.a.token"), "Bearer"
    else:
        answer, scheme = caller.client.ask(url, {}, basic=[caller.customer.access.user, "wrong"]), "Basic"
    assert (answer["status"], answer["reply"]["error"]) == (401, "INCORRECT_USER_PASSWORD"), answer
    assert answer["challenge"].startswith(f"{scheme} realm="), answer


def refresh(caller: Caller) -> None:
    """New tokens for a refresh token; used again, it ends them all."""
    first = caller.log_in(caller.customer.access)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = caller.tokens(form)["reply"]
    assert caller.with_token(second["access_token"])["status"] == 200
    again = caller.tokens(form)
    assert (again["status"], again["reply"]["error"]) == (400, "invalid_grant")


def revoke(caller: Caller) -> None:
    token = caller.log_in(caller.customer.access)["access_token"]
    assert caller.with_token(token)["status"] == 200
    assert caller.client.ask(f"{caller.url}/api/jwt/revoke", {"token": token})["status"] == 200
    # Every process refuses it within a second.
    until(lambda: caller.with_token(token)["status"] == 401, 20, "401")


CHECKS: dict[str, Callable[[Caller], None]] = {
    "sendsms": sendsms,
    "list": a_list,
    "empty list": an_empty_list,
    "business error": a_business_error,
    "decimals": decimals,
    "non-ASCII text": text,
    "non-ASCII password": a_password,
    "refused": refused,
}
TOKEN_CHECKS: dict[str, Callable[[Caller], None]] = {"refresh": refresh, "revoke": revoke}
CASES = [
    pytest.param(client, variant, check, id=f"{client.name}-{variant}-{check}")
    for client in CLIENTS
    for variant, checks in (("Basic", CHECKS), ("JWT", CHECKS | TOKEN_CHECKS))
    for check in checks
]


@pytest.fixture(scope="session")
def door(running_gateway: Gateway) -> Door:
    return Door(running_gateway)


@pytest.fixture(scope="session")
def customer(door: Door) -> Customer:
    return door.customer("--credits", "10000", "--country", "34")


@pytest.mark.parametrize(("client", "variant", "check"), CASES)
def test_client(
    client: Client,
    variant: str,
    check: str,
    door: Door,
    customer: Customer,
    record_property: Callable[[str, object], None],
) -> None:
    outside.need(*client.tools)
    record_property("cell", Cell("Basic and JWT", f"{client.name} {client.version()}", variant, check))
    (CHECKS | TOKEN_CHECKS)[check](Caller(client, variant, door, customer))


@pytest.mark.parametrize(
    ("algorithm", "limit"),
    [
        pytest.param("RS256", None, id="RS256"),
        pytest.param("ES256", None, id="ES256"),
        pytest.param("EdDSA", EDDSA, id="EdDSA"),
    ],
)
def test_signed_elsewhere(
    algorithm: str, limit: str | None, door: Door, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A token that jsonwebtoken signed, with a key that was registered for it, opens the door to node's fetch."""
    outside.need(*SIGNER.tools)
    record_property("cell", Cell("Own keys", f"{SIGNER.name} {SIGNER.version()}", "JWT", algorithm, limit))
    customer = door.customer("--credits", "7", "--country", "34")
    who = door.access(customer.email, name="signer")
    public = tmp_path / "public.pem"
    public.write_text(public_pem(algorithm))
    key = door.cli("access", "key", "add", customer.email, "signer", str(public))
    private = private_key(algorithm, 0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    now = int(time.time())
    claims = {"iss": who.user, "sub": who.user, "aud": key["aud"], "iat": now, "exp": now + 300, "jti": uuid4().hex}

    def run() -> None:
        signed = SIGNER.run({"key": private, "kid": key["kid"], "algorithm": algorithm, "claims": claims})
        assert "token" in signed, signed
        answer = Caller(CLIENTS[-1], "JWT", door, customer).with_token(signed["token"])
        assert (answer["status"], answer["reply"]["result"]) == (200, 7), answer

    held_to(limit, run)
