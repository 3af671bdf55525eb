"""Tokens whose time has not come: made ahead, to be used when nobody expects them any more."""

import time
from typing import Any

import pytest

from gateway.storage.signing import SKEW
from tests.support.tokens import Doors, own_token

MARGIN = 20


@pytest.mark.parametrize("ahead", [SKEW + MARGIN, 3600, 10**9])
def test_issued_in_the_future(doors: Doors, ahead: int) -> None:
    now = int(time.time())
    detail = doors.refused(own_token(iat=now + ahead, exp=now + ahead + 60))
    assert detail == "The token is not yet valid: its iat or nbf is in the future."


@pytest.mark.parametrize("ahead", [SKEW + MARGIN, 3000, 10**9])
def test_not_before(doors: Doors, ahead: int) -> None:
    now = int(time.time())
    assert "not yet valid" in doors.refused(own_token(iat=now, nbf=now + ahead, exp=now + 3600))


def test_clocks_may_differ_a_little(doors: Doors) -> None:
    now = int(time.time())
    assert doors.accepted(own_token(iat=now + SKEW - 1, nbf=now + SKEW - 1, exp=now + 300))


@pytest.mark.parametrize("nbf", ["0", "soon", True, -1, []], ids=str)
def test_not_before_that_is_no_time(doors: Doors, nbf: Any) -> None:
    assert "nbf" in doors.refused(own_token(nbf=nbf))


def test_one_that_was_early_is_good_later(doors: Doors) -> None:
    """A refusal is not remembered."""
    now = int(time.time())
    text = own_token(iat=now, nbf=now + 600, exp=now + 1200)
    doors.refused(text)
    real = doors.gateway.tokens._now
    doors.gateway.tokens._now = lambda: real() + 700 * 1_000_000
    assert doors.accepted(text)
