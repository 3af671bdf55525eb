"""Credentials among the parameters, where those are refused so that nobody gets used to it: URLs are remembered."""

from base64 import b64encode
from typing import Any

import pytest
from sqlalchemy import select

from gateway.storage.schema import metadata
from tests.support.tokens import Doors, own_token

BALANCE = "class=user&method=getbalance"
LEAKED = "leaked-secret-Zk81"


def basic(login: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{login}:{secret}".encode()).decode()}


def written(doors: Doors) -> str:
    """Everything that the database holds."""
    doors.logged()
    with doors.database.read() as connection:
        return str([connection.execute(select(table)).all() for table in metadata.sorted_tables])


@pytest.mark.parametrize("way", ["query", "form", "json"])
@pytest.mark.parametrize("name", ["user", "password", "access_token"])
@pytest.mark.parametrize("door", ["basic", "jwt"])
def test_refused_beside_good_ones(doors: Doors, door: str, name: str, way: str) -> None:
    if (door, name) == ("basic", "access_token"):
        name = "password"
    headers = basic("tl_shop", doors.secret) if door == "basic" else {"Authorization": f"Bearer {own_token()}"}
    extra: dict[str, Any] = {"data": {name: LEAKED}} if way == "form" else {"json": {name: LEAKED}}
    query = f"{BALANCE}&{name}={LEAKED}" if way == "query" else BALANCE
    answer = doors.ask(f"/api/{door}/?{query}", headers=headers, **({} if way == "query" else extra))
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (400, "INCORRECT_PARAM")
    assert body["detail"].startswith(f"{name}: Credentials are refused among the parameters here")
    if name != "user":
        assert LEAKED not in written(doors)


@pytest.mark.parametrize("door", ["basic", "jwt"])
def test_refused_ones_are_not_written_where_they_are_repeated(doors: Doors, door: str) -> None:
    headers = basic("tl_shop", doors.secret) if door == "basic" else {"Authorization": f"Bearer {own_token()}"}
    call = f"class=sms&method=sendsms&from=Shop&to={LEAKED}&sms=My+password+is+{LEAKED}."
    assert doors.ask(f"/api/{door}/?{call}&password={LEAKED}", headers=headers).status_code == 400
    assert LEAKED not in written(doors)


@pytest.mark.parametrize("door", ["basic", "jwt"])
def test_they_prove_nothing_alone(doors: Doors, door: str) -> None:
    answer = doors.ask(f"/api/{door}/?{BALANCE}&user=tl_shop&password={doors.secret}&access_token={own_token()}")
    assert (answer.status_code, answer.get_json()["error"]) == (401, "MISSING_USER")
    assert "WWW-Authenticate" in answer.headers
    assert doors.secret not in written(doors)


@pytest.mark.parametrize("path", ["token", "revoke"])
def test_not_in_the_url_of_a_token_request(doors: Doors, path: str) -> None:
    """RFC 6749, section 2.3.1."""
    given = doors.log_in()
    query = f"user=tl_shop&password={doors.secret}&token={given['refresh_token']}"
    for body in ({}, {"user": "tl_shop", "password": doors.secret, "token": given["refresh_token"]}):
        answer = doors.ask(f"/api/jwt/{path}?{query}", data=body)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    everything = written(doors)
    assert doors.secret not in everything
    assert given["refresh_token"] not in everything
    assert doors.renew(given["refresh_token"]).status_code == 200


def test_no_token_is_written_down(doors: Doors) -> None:
    """Not when it is given out, used, renewed, revoked, nor when it is sent to the wrong place."""
    given = doors.log_in()
    second = doors.renew(given["refresh_token"]).get_json()
    own = own_token()
    for text in (second["access_token"], own, second["refresh_token"]):
        doors.balance(text)
        doors.ask(f"/api/http/?{BALANCE}&user=tl_shop&password={text}")
        doors.ask(f"/api/basic/?{BALANCE}", headers=basic(text, text))
        doors.ask(f"/api/jwt/?{BALANCE}&note={text}", headers={"Authorization": f"Bearer {text}"})
        call = f"class=sms&method=sendsms&from=Shop&to={text}&sms=My+token+is+{text}."
        doors.ask(f"/api/jwt/?{call}", headers={"Authorization": f"Bearer {text}"})
        doors.ask("/api/jwt/token", data={"user": "tl_shop", "password": text})
        doors.ask("/api/jwt/token", data={"grant_type": text, "refresh_token": text})
        doors.revoke(text)
    everything = written(doors)
    for text in (given["access_token"], given["refresh_token"], second["refresh_token"], second["access_token"], own):
        kept = text.rpartition(".")[2] if "." in text else text
        assert kept not in everything
