"""Tokens that were made for somebody else, by somebody else, of another kind, or without what must be in them."""

from typing import Any

import pytest

from tests.support.tokens import AUDIENCE, KINDS, Doors, claims, header, own_token, parts, signer, token

AUDIENCES: list[Any] = [
    None, "", "trunkline", "https://evil.example", f"{AUDIENCE}/", AUDIENCE.upper(), [], ["https://evil.example"],
    [[AUDIENCE]], {AUDIENCE: 1}, 1, True,
]  # fmt: skip


@pytest.mark.parametrize("aud", AUDIENCES, ids=range(len(AUDIENCES)))
def test_for_somebody_else(doors: Doors, aud: Any) -> None:
    assert doors.refused(own_token(aud=aud)) == f"The token's aud must be {AUDIENCE}."


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["https://elsewhere.example", AUDIENCE]], ids=str)
def test_for_us(doors: Doors, aud: Any) -> None:
    assert doors.accepted(own_token(aud=aud))


@pytest.mark.parametrize("iss", [None, "", "tl_other", AUDIENCE, ["tl_shop"], "TL_SHOP"], ids=str)
def test_by_somebody_else(doors: Doors, iss: Any) -> None:
    assert doors.refused(own_token(iss=iss)) == "The token's iss must be the login that its sub is."


@pytest.mark.parametrize("sub", [None, "", "nobody", "TL_SHOP", "tl_shop ", ["tl_shop"], 1, "x" * 255], ids=range(8))
def test_of_somebody_else(doors: Doors, sub: Any) -> None:
    doors.refused(own_token(sub=sub))


@pytest.mark.parametrize("jti", [None, "", 1, ["a"], "a b", "a\0", "ä", "j" * 129], ids=range(8))
def test_without_an_id(doors: Doors, jti: Any) -> None:
    """What cannot be named cannot be revoked."""
    assert "jti" in doors.refused(own_token(jti=jti))


TYPES: list[Any] = [None, "", "JWS", "id_token+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", 1, ["JWT"]]


@pytest.mark.parametrize("typ", TYPES, ids=str)
def test_of_another_kind(doors: Doors, typ: Any) -> None:
    """RFC 8725, section 3.11: what the same key signed for another purpose is no access token."""
    assert "typ" in doors.refused(token(header(typ=typ), claims(), signer("ES256")))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/JWT"])
def test_of_ours(doors: Doors, typ: str) -> None:
    assert doors.accepted(token(header(typ=typ), claims(), signer("ES256")))


def test_what_ours_are(doors: Doors) -> None:
    given = doors.log_in()
    head, body, _ = parts(given["access_token"])
    assert head["typ"] == "at+jwt"
    assert head["alg"] == "EdDSA"
    assert (body["iss"], body["aud"], body["sub"]) == (AUDIENCE, AUDIENCE, "tl_shop")
    assert body["exp"] - body["iat"] == given["expires_in"]
    assert len(body["jti"]) >= 16


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'"a"', b"1", b"null", b"{", b'{"a":1', b"\xff", b"{" * 4000, b'{"a":' * 1000], ids=range(10)
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_object(doors: Doors, kind: str, raw: bytes) -> None:
    doors.refused(token(header(kind), raw, signer(kind)))
    doors.refused(token(raw, claims(), signer(kind)))
