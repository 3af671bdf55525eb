"""Refresh tokens used again: by a thief after their owner, or the owner after a thief (RFC 9700, section 4.14.2)."""

import pytest

from gateway import clock
from gateway.operations.errors import Refusal
from gateway.pipeline.tokens import refresh_digest
from gateway.storage.queries import accesses
from gateway.storage.queries import tokens as stored
from tests.support.tokens import ELSEWHERE, HOME, Doors, own_token

REUSED = "The refresh token was used before, so all that came from it ended: log in again."
GONE = "The refresh token has expired or was revoked: log in again."
UNKNOWN = "The refresh token is unknown or has expired."


def why(answer: object) -> str:
    """Why a refresh token was refused, as RFC 6749 has it."""
    assert answer.status_code == 400  # type: ignore[attr-defined]
    body = answer.get_json()  # type: ignore[attr-defined]
    assert (body["error"], body["code"]) == ("invalid_grant", "INCORRECT_USER_PASSWORD")
    return str(body["error_description"])


def test_each_is_good_once(doors: Doors) -> None:
    first = doors.log_in()
    second = doors.renew(first["refresh_token"]).get_json()
    third = doors.renew(second["refresh_token"]).get_json()
    assert len({each["refresh_token"] for each in (first, second, third)}) == 3
    assert all(doors.accepted(each["access_token"]) for each in (first, second, third))


def test_used_again_it_ends_all_that_came_from_it(doors: Doors) -> None:
    first, apart = doors.log_in(), doors.log_in()
    second = doors.renew(first["refresh_token"]).get_json()
    assert why(doors.renew(first["refresh_token"])) == REUSED
    assert why(doors.renew(second["refresh_token"])) == GONE
    assert why(doors.renew(first["refresh_token"])) == GONE
    assert not doors.accepted(first["access_token"])
    assert not doors.accepted(second["access_token"])
    assert doors.accepted(apart["access_token"])
    assert doors.renew(apart["refresh_token"]).status_code == 200


def test_reuse_is_in_the_log(doors: Doors) -> None:
    first = doors.log_in()["refresh_token"]
    doors.renew(first)
    doors.renew(first)
    outcomes = [(entry["class"], entry["method"], entry["access_id"], entry["outcome"]) for entry in doors.logged()]
    shop = doors.access_ids["tl_shop"]
    assert outcomes[-1] == ("jwt", "token", shop, "INCORRECT_USER_PASSWORD")
    assert outcomes[-2] == ("jwt", "token", shop, "SUCCESS")


def test_a_thief_elsewhere_uses_nothing_up(doors: Doors) -> None:
    """Where the access may not be used from, its token is neither looked at nor used."""
    given = doors.log_in("tl_home", HOME)
    answer = doors.renew(given["refresh_token"], ELSEWHERE)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "IP_NOT_ALLOWED")
    assert doors.renew(given["refresh_token"], HOME).status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_it_is_looked_at_again_where_it_is_used(doors: Doors, how: str) -> None:
    """Before, and in the transaction that uses it: it may have ended in between."""
    text, later = doors.log_in()["refresh_token"], 0
    if how == "revoked":
        doors.revoke(text)
    else:
        later = 31 * 86_400 * 1_000_000
        doors.gateway.tokens._now = lambda: clock.now() + later
    with pytest.raises(Refusal, match="has expired or was revoked"):
        doors.gateway.tokens.refresh(text).access(ELSEWHERE)
    now = clock.now() + later
    with doors.database.transaction() as connection:
        turned, _ = stored.turn(
            connection, refresh_digest(text), "next", now=now, expires_at=now + 1, access_until=now + 1
        )
    assert turned is stored.Turned.INVALID


@pytest.mark.parametrize("text", ["x", "x" * 5000, "' OR 1=1 --", "ä", "a.b.c", "\ud800"], ids=range(6))
def test_invented(doors: Doors, text: str) -> None:
    if text == "\ud800":
        answer = doors.ask("/api/jwt/token", json={"grant_type": "refresh_token", "refresh_token": text})
    else:
        answer = doors.renew(text)
    assert why(answer) == UNKNOWN


def test_it_is_no_access_token_nor_the_other_way_round(doors: Doors) -> None:
    given = doors.log_in()
    assert not doors.accepted(given["refresh_token"])
    assert why(doors.renew(given["access_token"])) == UNKNOWN
    assert why(doors.renew(own_token())) == UNKNOWN
    assert doors.accepted(given["access_token"])


def test_who_logs_in_gets_nothing_of_another_refresh_token(doors: Doors) -> None:
    """Beside a login and secret a refresh token counts for nothing: it is not used up, nor whose it is changed."""
    other = doors.log_in("tl_other")
    data = {"user": "tl_shop", "password": doors.secret, "refresh_token": other["refresh_token"]}
    assert doors.ask("/api/jwt/token", data=data).status_code == 200
    assert doors.renew(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("end", ["rotated", "ended"])
def test_it_ends_with_what_it_was_got_with(doors: Doors, end: str) -> None:
    given = doors.log_in()
    shop = doors.access_ids["tl_shop"]
    if end == "rotated":
        doors.change(accesses.set_secret, shop, "sha256$00")
    else:
        doors.change(accesses.end_tokens, shop)
    assert why(doors.renew(given["refresh_token"])) == GONE
    assert not doors.accepted(given["access_token"])


def test_a_revoked_access_renews_nothing(doors: Doors) -> None:
    given = doors.log_in()
    doors.change(accesses.revoke, doors.access_ids["tl_shop"], 1)
    answer = doors.renew(given["refresh_token"])
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")


def test_it_expires(doors: Doors) -> None:
    given = doors.log_in()
    real = doors.gateway.tokens._now
    doors.gateway.tokens._now = lambda: real() + 31 * 86_400 * 1_000_000
    assert why(doors.renew(given["refresh_token"])) == GONE
