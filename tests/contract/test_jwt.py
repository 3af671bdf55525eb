"""JWT at the front door: tokens given out, used, renewed and revoked, by our keys and by customers' own."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.storage import signing
from tests.contract.conftest import World
from tests.support.door import FORM, JSON, Door, Login, form
from tests.support.rawhttp import Response, ask
from tests.support.tokens import KINDS, parts, public_pem, signer, token
from tests.support.wait import settled, until

BALANCE = {"class": "user", "method": "getbalance"}
SEND = {"class": "sms", "method": "sendsms", "from": "Shop", "to": "34600000001", "sms": "Hi"}
# More connections than the web server has processes, so that each of them answers.
ALL = 24


def request(
    door: Door, path: str, content: bytes | None = None, *headers: str, source: str = "127.0.0.1"
) -> Response:
    lines = [f"{'GET' if content is None else 'POST'} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if content is not None:
        lines.append(f"Content-Length: {len(content)}")
    return ask(door.gateway.port, "\r\n".join([*lines, "", ""]).encode() + (content or b""), source)


def post(door: Door, path: str, values: dict[str, str], **more: Any) -> Response:
    return request(door, path, form(values), f"Content-Type: {FORM}", **more)


def call(door: Door, text: str, values: dict[str, str] = BALANCE, **more: Any) -> Response:
    return request(door, f"/api/jwt/?{form(values).decode()}", None, f"Authorization: Bearer {text}", **more)


def log_in(door: Door, who: Login) -> dict[str, Any]:
    answer = post(door, "/api/jwt/token", {"user": who.user, "password": who.password})
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


def renew(door: Door, refresh_token: str) -> Response:
    return post(door, "/api/jwt/token", {"grant_type": "refresh_token", "refresh_token": refresh_token})


def answered(door: Door, text: str, status: int) -> bool:
    """Whether a token is answered so."""
    return call(door, text).status == status


def everywhere(door: Door, text: str, status: int) -> bool:
    """Whether every process answers a token so."""
    return all(answered(door, text, status) for _ in range(ALL))


@pytest.fixture
def customer(world: World) -> tuple[str, str, Login]:
    """An account's e-mail, the name of an access of its own, and its login."""
    customer = world.door.customer("--credits", "10")
    return customer.email, "mobile", world.door.access(customer.email, name="mobile")


def own_token(login: str, kind: str, kid: str, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": login, "sub": login, "aud": "trunkline", "iat": now, "exp": now + 300, "jti": "1", **changes}
    return token({"alg": kind, "typ": "JWT", "kid": kid}, claims, signer(kind))


def test_tokens_and_calls(world: World) -> None:
    given = log_in(world.door, world.owner.access)
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
    answer = call(world.door, given["access_token"], SEND)
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "SUCCESS")
    body = json.dumps(SEND).encode()
    headers = (f"Authorization: Bearer {given['access_token']}", f"Content-Type: {JSON}")
    assert request(world.door, "/api/jwt/", body, *headers).status == 200


WAYS: dict[str, Callable[[Login], tuple[bytes, str]]] = {
    "form": lambda who: (form({"user": who.user, "password": who.password}), FORM),
    "RFC 6749": lambda who: (
        form({"grant_type": "password", "username": who.user, "password": who.password, "scope": "sms"}), FORM,
    ),
    "JSON": lambda who: (json.dumps({"user": who.user, "password": who.password}).encode(), JSON),
    "JSON, RFC 6749": lambda who: (
        json.dumps({"grant_type": "password", "username": who.user, "password": who.password}).encode(), JSON,
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_asking_for_tokens(world: World, way: str) -> None:
    content, kind = WAYS[way](world.owner.access)
    answer = request(world.door, "/api/jwt/token", content, f"Content-Type: {kind}", "X-Request-Id: my-request-1")
    assert answer.status == 200
    assert list(json.loads(answer.body)) == ["access_token", "token_type", "expires_in", "refresh_token"]
    headers = {name: answer.headers[name] for name in ("content-type", "cache-control", "pragma", "x-request-id")}
    assert headers == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "pragma": "no-cache",
        "x-request-id": "my-request-1",
    }


REFUSED = [
    ({"user": "$user", "password": "wrong"}, 400, "invalid_grant", "INCORRECT_USER_PASSWORD"),
    ({"password": "x"}, 400, "invalid_request", "MISSING_USER"),
    ({"user": "$user"}, 400, "invalid_request", "MISSING_PASSWORD"),
    ({}, 400, "invalid_request", "MISSING_USER"),
    ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type", "INCORRECT_PARAM"),
    ({"grant_type": "PASSWORD", "user": "$user", "password": "$password"}, 400, "unsupported_grant_type",
     "INCORRECT_PARAM"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request", "MISSING_COMPULSORY_PARAM"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant", "INCORRECT_USER_PASSWORD"),
    ({"refresh_token": "x"}, 400, "invalid_grant", "INCORRECT_USER_PASSWORD"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "status", "name", "code"), REFUSED, ids=range(len(REFUSED)))
def test_token_errors(world: World, values: dict[str, str], status: int, name: str, code: str) -> None:
    who = world.other.access
    filled = {
        key: value.replace("$user", who.user).replace("$password", who.password) for key, value in values.items()
    }
    answer = post(world.door, "/api/jwt/token", filled)
    body = json.loads(answer.body)
    assert (answer.status, body["error"], body["code"]) == (status, name, code)
    assert list(body) == ["error", "error_description", "code"]


@pytest.mark.parametrize("path", ["/api/jwt/token", "/api/jwt/revoke"])
def test_by_post_alone(world: World, path: str) -> None:
    answer = request(world.door, path)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_tokens_count_against_the_rate(world: World) -> None:
    """Asking for one, renewing and ending it are calls as any: of a rate below one a second one comes at once."""
    who = world.door.access(world.other.email, "--rate", "30/h")
    given = log_in(world.door, who)
    answers = [
        post(world.door, "/api/jwt/token", {"user": who.user, "password": who.password}),
        renew(world.door, given["refresh_token"]),
        post(world.door, "/api/jwt/revoke", {"token": given["access_token"]}),
    ]
    for answer in answers:
        assert (answer.status, json.loads(answer.body)["code"]) == (429, "TOO_MANY_REQUESTS")
        assert answer.headers["retry-after"] == "125"
    assert call(world.door, given["access_token"]).status == 429


def test_failed_logins_are_held_up(world: World) -> None:
    values = {"user": "nobody-jwt", "password": "wrong"}
    answers = [post(world.door, "/api/jwt/token", values, source="127.0.0.78")]
    while answers[-1].status == 400 and len(answers) < 60:  # as many as it takes: meanwhile some are forgiven
        answers.append(post(world.door, "/api/jwt/token", values, source="127.0.0.78"))
    assert [answer.status for answer in answers[-2:]] == [400, 429]
    assert len(answers) > 10
    assert (answers[-1].headers["retry-after"], json.loads(answers[-1].body)["error"]) == (
        "60", "temporarily_unavailable",
    )  # fmt: skip


HEADERS = [
    ("none", []),
    ("another scheme", ["Authorization: Basic YTpi"]),
    ("no token", ["Authorization: Bearer"]),
    ("two tokens", ["Authorization: Bearer a b"]),
    ("not ASCII", ["Authorization: Bearer \xe4"]),
]


@pytest.mark.parametrize("headers", [c[1] for c in HEADERS], ids=[c[0] for c in HEADERS])
def test_without_a_token(world: World, headers: list[str]) -> None:
    """RFC 6750, section 3.1: who gave none is told no error."""
    answer = request(world.door, "/api/jwt/?class=user&method=getbalance", None, *headers)
    assert (answer.status, json.loads(answer.body)["error"]) == (401, "MISSING_USER")
    assert answer.headers["www-authenticate"] == 'Bearer realm="Trunkline"'


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--network", "192.0.2.0/24"), "IP_NOT_ALLOWED"),
        (("--protocol", "http", "--protocol", "basic"), "NOT_PERMITTED"),
    ],
    ids=["network", "protocol"],
)
def test_an_access_that_may_not(world: World, options: tuple[str, ...], code: str) -> None:
    who = world.door.access(world.other.email, *options)
    answer = post(world.door, "/api/jwt/token", {"user": who.user, "password": who.password})
    body = json.loads(answer.body)
    assert (answer.status, body["error"], body["code"]) == (400, "unauthorized_client", code)


def test_confined_to_jwt_and_to_operations(world: World) -> None:
    """Permissions name operations; asking for a token is none, so an access needs no permission for it."""
    who = world.door.access(world.other.email, "--protocol", "jwt", "--operation", "template")
    given = log_in(world.door, who)["access_token"]
    assert call(world.door, given, {"class": "template", "method": "gettemplates"}).status == 200
    assert call(world.door, given).status == 403
    assert world.door.outcome(who, "template.gettemplates") == "NOT_PERMITTED"


@pytest.mark.parametrize(("class_name", "method"), [("jwt", "token"), ("jwt", "revoke")])
def test_tokens_are_no_operation_of_any_door(world: World, class_name: str, method: str) -> None:
    assert world.door.outcome(world.owner.access, f"{class_name}.{method}") == "INCORRECT_CLASS"
    text = log_in(world.door, world.owner.access)["access_token"]
    assert call(world.door, text, {"class": class_name, "method": method}).status == 404


def test_two_at_once_renew_once(world: World) -> None:
    """The first wins; the second shows that there are two holders, and ends what the first was given."""
    for _ in range(5):
        given = log_in(world.door, world.owner.access)
        answers: list[Response] = []
        start = threading.Barrier(6)

        def one(refresh: str = given["refresh_token"], into: list[Response] = answers) -> None:
            start.wait()  # noqa: B023 - joined before the next round
            into.append(renew(world.door, refresh))

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [200] + [400] * 5
        won = json.loads(next(answer for answer in answers if answer.status == 200).body)
        assert renew(world.door, won["refresh_token"]).status == 400
        settled(lambda text=won["access_token"]: answered(world.door, text, 401), "the end of the family")


def test_a_revocation_reaches_every_process(world: World) -> None:
    given, apart = (log_in(world.door, world.owner.access)["access_token"] for _ in range(2))
    assert everywhere(world.door, given, 200)
    assert post(world.door, "/api/jwt/revoke", {"token": given, "token_type_hint": "access_token"}).status == 200
    settled(lambda: answered(world.door, given, 401), "the end of the token")
    assert everywhere(world.door, apart, 200)


@pytest.mark.parametrize("command", ["rotate", "revoke", "jwt revoke"])
def test_a_command_reaches_every_process(world: World, customer: tuple[str, str, Login], command: str) -> None:
    email, name, who = customer
    given = log_in(world.door, who)
    assert everywhere(world.door, given["access_token"], 200)
    words = command.split() if " " in command else ["access", command]
    world.door.cli(*words, email, name)
    settled(lambda: answered(world.door, given["access_token"], 403 if command == "revoke" else 401), "the end")
    assert renew(world.door, given["refresh_token"]).status == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_their_own(world: World, customer: tuple[str, str, Login], kind: str, tmp_path: Path) -> None:
    email, name, who = customer
    file = tmp_path / "public.pem"
    file.write_text(public_pem(kind))
    made = world.door.cli("access", "key", "add", email, name, str(file), "--kid", f"{who.user}-1")
    assert made == {
        "kid": f"{who.user}-1", "alg": kind, "typ": "JWT", "iss": who.user, "sub": who.user, "aud": "trunkline",
    }  # fmt: skip
    text = own_token(who.user, kind, made["kid"])
    settled(lambda: answered(world.door, text, 200), "the key")
    assert (
        post(world.door, "/api/jwt/revoke", {"token": own_token(who.user, kind, made["kid"], jti="2")}).status == 200
    )
    assert everywhere(world.door, text, 200)
    world.door.cli("access", "key", "remove", email, name, made["kid"])
    settled(lambda: answered(world.door, text, 401), "the end of the key")


def test_our_key_is_rotated_with_overlap(world: World) -> None:
    door = world.door
    before = log_in(door, world.owner.access)
    kid = door.cli("jwt", "rotate")["kid"]
    settled(lambda: _kid(log_in(door, world.owner.access)["access_token"]) == kid, "tokens by the new key")
    assert everywhere(door, before["access_token"], 200)
    listed = door.cli("jwt", "keys")
    assert listed[0] == {**listed[0], "kid": kid, "alg": signing.ALGORITHM, "retires": None}
    assert listed[1]["retires"] is not None
    door.cli("jwt", "rotate", "--at-once")
    settled(lambda: answered(door, before["access_token"], 401), "the end of the old keys")
    assert renew(door, before["refresh_token"]).status == 200


def _kid(text: str) -> str:
    return str(parts(text)[0]["kid"])


def test_the_log(world: World, customer: tuple[str, str, Login]) -> None:
    """Who asked for tokens, and who used one, without any of them."""
    email, _, who = customer
    given = log_in(world.door, who)
    call(world.door, given["access_token"])
    # From an address of its own: refusals of strangers are summed up after ten a minute.
    call(world.door, given["access_token"][:-4] + "AAAA", source="127.0.0.79")
    second = json.loads(renew(world.door, given["refresh_token"]).body)
    post(world.door, "/api/jwt/revoke", {"token": second["refresh_token"]})
    rows = until(
        lambda: len(found := world.door.cli("log", "list", "--account", email)) == 5 and found, what="5 rows"
    )
    seen = sorted((row["operation"], row["protocol"], row["outcome"], row["http_status"]) for row in rows)
    assert seen == [
        ("jwt.revoke", "jwt", "SUCCESS", 200),
        ("jwt.token", "jwt", "SUCCESS", 200),
        ("jwt.token", "jwt", "SUCCESS", 200),
        ("user.getbalance", "jwt", "INCORRECT_USER_PASSWORD", 401),
        ("user.getbalance", "jwt", "SUCCESS", 200),
    ]
    text = json.dumps(rows)
    for each in (given, second):
        assert each["refresh_token"] not in text
        assert each["access_token"].rpartition(".")[2] not in text
