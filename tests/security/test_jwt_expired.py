"""Tokens whose time is over, and those that would last too long (RFC 7519, section 4.1.4)."""

import json
import time
from typing import Any

import pytest

from gateway.storage.signing import LIFE, SKEW
from tests.support.tokens import Doors, claims, header, own_token, signer, token

# More than the test takes, so that no clock decides.
MARGIN = 20


@pytest.mark.parametrize("ago", [SKEW + 1, 3600, 10**9])
def test_expired(doors: Doors, ago: int) -> None:
    now = int(time.time())
    assert doors.refused(own_token(exp=now - ago, iat=now - ago - 60)) == "The token has expired."


def test_clocks_may_differ_a_little(doors: Doors) -> None:
    now = int(time.time())
    assert doors.accepted(own_token(exp=now - SKEW + MARGIN, iat=now - 300))


def test_remembered_tokens_expire_too(doors: Doors) -> None:
    """A token that was verified is not verified again, but it ends all the same."""
    text = own_token()
    assert doors.accepted(text)
    real = doors.gateway.tokens._now
    doors.gateway.tokens._now = lambda: real() + (300 + SKEW + 1) * 1_000_000
    assert doors.refused(text) == "The token has expired."


def test_ours_expire(doors: Doors) -> None:
    given = doors.log_in()
    real = doors.gateway.tokens._now
    doors.gateway.tokens._now = lambda: real() + (given["expires_in"] - MARGIN) * 1_000_000
    assert doors.accepted(given["access_token"])
    doors.gateway.tokens._now = lambda: real() + (given["expires_in"] + SKEW + 1) * 1_000_000
    assert doors.refused(given["access_token"]) == "The token has expired."


WRONG: list[Any] = [None, "", "9999999999", True, False, [], {}, -1, 2**40, 1e300]
NO_TIME = "The token's {} must be a number of seconds since 1970."


@pytest.mark.parametrize("exp", WRONG, ids=range(len(WRONG)))
def test_an_end_that_is_none(doors: Doors, exp: Any) -> None:
    assert doors.refused(own_token(exp=exp)) == NO_TIME.format("exp")


@pytest.mark.parametrize(
    "text", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" + b"0" * 400], ids=lambda text: text[:9].decode()
)
def test_an_end_that_json_has_not(doors: Doors, text: bytes) -> None:
    raw = json.dumps(claims(exp=4711)).encode().replace(b"4711", text)
    assert not doors.accepted(token(header(), raw, signer("ES256")))


@pytest.mark.parametrize("life", [LIFE + 1, 86_400, 10**9])
def test_lifetime_is_bounded(doors: Doors, life: int) -> None:
    now = int(time.time())
    assert "at most 3600 seconds" in doors.refused(own_token(iat=now, exp=now + life))


def test_longest_lifetime(doors: Doors) -> None:
    now = int(time.time())
    assert doors.accepted(own_token(iat=now, exp=now + LIFE))


@pytest.mark.parametrize("iat", [None, "1", True], ids=str)
def test_an_unknown_beginning_bounds_nothing(doors: Doors, iat: Any) -> None:
    assert doors.refused(own_token(iat=iat)) == NO_TIME.format("iat")
