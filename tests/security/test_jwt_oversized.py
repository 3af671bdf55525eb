"""Tokens that cost more to look at than to send."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.pipeline import tokens
from gateway.pipeline.tokens import LONGEST
from tests.support.tokens import Doors, claims, header, own_token, signer, token


def test_longest(doors: Doors) -> None:
    """Up to the limit a token may carry what its maker likes."""
    room = LONGEST - len(own_token(more=""))
    assert doors.accepted(own_token(more="x" * (room * 3 // 4 - 4)))


@pytest.mark.parametrize("size", [LONGEST, 6000])
def test_too_long(doors: Doors, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not even taken apart."""
    text = own_token(more="x" * size)
    monkeypatch.setattr(tokens, "_object", None)
    assert doors.refused(text) == f"The token is longer than {LONGEST} characters."


@pytest.mark.parametrize("dots", [0, 1, 3, 4, 1000])
def test_wrong_number_of_parts(doors: Doors, dots: int) -> None:
    """Five parts would be an encrypted one (RFC 7516)."""
    doors.refused(".".join(["eyJh"] * (dots + 1)))


@pytest.mark.parametrize("more", ["~~~~", "+", "/", "=", "====", "~"])
def test_no_character_is_passed_over(doors: Doors, more: str) -> None:
    """Base64 is read strictly: decoders that drop what they do not know make many tokens of one."""
    good = own_token("EdDSA")
    assert doors.refused(good + more) == "The token is no JSON Web Token that can be used here."
    assert doors.accepted(good)


@pytest.mark.parametrize("member", ["zip", "more"])
def test_what_is_compressed_stays_so(doors: Doors, member: str) -> None:
    """Unlike encrypted tokens, signed ones have no compression; the member is ignored and nothing is unpacked."""
    assert doors.accepted(token(header(**{member: "DEF"}), claims(), signer("ES256")))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(string.ascii_letters + string.digits + "-_.=+/~", min_size=1, max_size=400))
def test_whatever_arrives_is_refused(doors: Doors, text: str) -> None:
    answer = doors.balance(text)
    assert answer.status_code == 401


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(string.ascii_letters + string.digits + "-_."))
def test_a_changed_character_makes_it_worthless(doors: Doors, place: int, character: str) -> None:
    good = own_token("EdDSA")
    place %= len(good)
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        doors.refused(changed)
