"""Tokens without a signature: `alg` none, in every spelling, and signatures left out (RFC 8725, section 2.1)."""

import pytest

from gateway.pipeline import tokens
from tests.support.tokens import Credulous, Doors, claims, encoded, header, own_token, parts, signer, token

SPELLINGS = ["none", "None", "NONE", "nOnE", "none ", "", "null", "HS0"]


def unsigned(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("alg", SPELLINGS)
@pytest.mark.parametrize("kid", ["ES256", "EdDSA", "none"])
def test_without_a_signature(doors: Doors, alg: str, kid: str) -> None:
    assert not doors.accepted(token(header(alg=alg, kid=kid), claims(), unsigned))
    assert not doors.accepted(token(header(alg=alg, kid=kid), claims(), lambda _: b"\0" * 64))
    assert not doors.accepted(token(header(alg=alg, kid=kid), claims(), signer("ES256")))


@pytest.mark.parametrize("alg", SPELLINGS)
def test_the_library_is_not_relied_on(doors: Doors, alg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries took `none` for an algorithm more than once: what names it does not come to them."""
    monkeypatch.setattr(tokens, "_jws", Credulous())
    assert not doors.accepted(token(header(alg=alg), claims(), lambda _: b"x"))
    assert not doors.accepted(token(header(), claims(), unsigned))
    assert doors.accepted(own_token())


def test_of_ours(doors: Doors) -> None:
    """What we signed, with other claims and without the signature, names our key."""
    head, body, _ = parts(doors.log_in()["access_token"])
    assert not doors.accepted(token({**head, "alg": "none"}, {**body, "sub": "tl_other"}, unsigned))
    assert not doors.accepted(token(head, {**body, "sub": "tl_other"}, unsigned))


@pytest.mark.parametrize("alg", [None, 0, True, [], ["ES256"], {"ES256": 1}], ids=str)
def test_an_algorithm_that_is_no_text(doors: Doors, alg: object) -> None:
    head = {**header(), "alg": alg}
    assert not doors.accepted(token(head, claims(), signer("ES256")))
    assert not doors.accepted(token(head, claims(), unsigned))


def test_signature_cut_off(doors: Doors) -> None:
    good = own_token()
    signed = good.rpartition(".")[0]
    for text in (signed, f"{signed}.", f"{signed}..", f".{signed}", f"{signed}.{encoded(b'x')}", f"{good}.{good}"):
        assert not doors.accepted(text)
    assert doors.accepted(good)
