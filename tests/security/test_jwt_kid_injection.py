"""`kid` that is meant for more than being looked up: paths, SQL, other people's keys (RFC 8725, section 3.10)."""

import socket

import pytest
from jwt.algorithms import ECAlgorithm

from gateway.storage.queries import keys
from tests.support.tokens import (
    HOME,
    Doors,
    claims,
    header,
    hmac_signer,
    own_token,
    parts,
    private_key,
    public_pem,
    signer,
    token,
)

# No kid at all, so that they come to no look-up, however that is written.
NO_KIDS = [
    "/dev/null",
    "../../../../dev/null",
    "file:///dev/null",
    "https://evil.example/key.pem",
    "' OR '1'='1",
    "ES256' --",
    "x' UNION SELECT 'a','ES256','b",
    "ES256\0",
    " ES256",
    "ES256 ",
    "%",
    "",
    "k" * 65,
    "k" * 2000,
    "\u202eES256",
]
# Like the key's, and not it. The last one is not even JSON's.
OTHER_KIDS = ["es256", "ES_56", "ES256.", "ES25", "\ud800"]


@pytest.mark.parametrize("kid", NO_KIDS, ids=range(len(NO_KIDS)))
def test_kid_that_is_none_is_not_looked_up(doors: Doors, kid: str) -> None:
    detail = doors.refused(token(header(kid=kid), claims(), signer("ES256")))
    assert detail == "The token's header must have the kid of its key, and alg."


@pytest.mark.parametrize("kid", NO_KIDS, ids=range(len(NO_KIDS)))
def test_kid_is_no_part_of_a_query(doors: Doors, kid: str) -> None:
    """Nor would it be where its looks were not checked."""
    with doors.database.read() as connection:
        assert keys.by_kid(connection, kid) is None
        assert keys.by_kid(connection, keys.OURS + kid) is None


@pytest.mark.parametrize("kid", [*NO_KIDS, *OTHER_KIDS], ids=range(len(NO_KIDS) + len(OTHER_KIDS)))
def test_kid_is_only_looked_up(doors: Doors, kid: str) -> None:
    assert not doors.accepted(token(header(kid=kid), claims(), signer("ES256")))
    assert not doors.accepted(token(header(alg="HS256", kid=kid), claims(), hmac_signer(b"")))


@pytest.mark.parametrize("kid", [None, 1, 1.5, True, ["ES256"], {"kid": "ES256"}], ids=str)
def test_kid_that_is_no_text(doors: Doors, kid: object) -> None:
    head = header()
    head.pop("kid")
    assert not doors.accepted(token(head if kid is None else {**head, "kid": kid}, claims(), signer("ES256")))


def test_a_key_of_ones_own_for_another(doors: Doors) -> None:
    """Who has a key registered signs for nobody else: not for another account, nor for another access."""
    for login in ("tl_other", "tl_home"):
        assert "known for its subject" in doors.refused(own_token(sub=login, iss=login), HOME)
        doors.refused(own_token(sub=login), HOME)
    doors.refused(own_token(iss="tl_other"))


def test_a_key_of_ones_own_as_ours(doors: Doors) -> None:
    """Neither the kid nor the shape of our tokens makes them ours."""
    head, body, _ = parts(doors.log_in("tl_other")["access_token"])
    assert not doors.accepted(token(head, body, signer("EdDSA")))
    assert not doors.accepted(token({**head, "kid": "EdDSA"}, body, signer("EdDSA")))
    forged = {**body, "iss": "tl_other"}
    assert not doors.accepted(token({**head, "kid": "EdDSA"}, forged, signer("EdDSA")))


def test_nobody_takes_the_kid_of_another(doors: Doors) -> None:
    ours = parts(doors.log_in()["access_token"])[0]["kid"]
    for kid in (ours, "trunkline-new", "ES256"):
        with pytest.raises(keys.Taken):
            doors.change(keys.add, doors.access_ids["tl_home"], kid, "ES256", public_pem("ES256", 1), 1)


@pytest.mark.parametrize(
    "member",
    [
        {"jku": "https://evil.example/keys.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"jwk": {"kty": "oct", "k": ""}},
        {"jwk": ECAlgorithm.to_jwk(private_key("ES256", 1).public_key(), as_dict=True)},
        {"x5c": ["MIIB"]},
        {"x5t": "0"},
    ],
    ids=["jku", "x5u", "jwk: empty", "jwk: the signer's", "x5c", "x5t"],
)
def test_keys_that_the_token_brings_are_not_read(doors: Doors, member: dict) -> None:
    """They neither make a token good nor, since nobody reads them, a good one bad."""
    assert not doors.accepted(token({**header(), **member}, claims(), signer("ES256", number=1)))
    without_kid = {name: value for name, value in header().items() if name != "kid"}
    assert not doors.accepted(token({**without_kid, **member}, claims(), signer("ES256", number=1)))
    assert doors.accepted(token({**header(), **member}, claims(), signer("ES256")))


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_addresses_that_the_token_brings_are_not_asked(doors: Doors, member: str) -> None:
    """Who asked them would do so for any stranger, from within our network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        head = {**header(), member: f"http://127.0.0.1:{server.getsockname()[1]}/keys.json"}
        assert not doors.accepted(token(head, claims(), signer("ES256", number=1)))
        assert doors.accepted(token(head, claims(), signer("ES256")))
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
        {"b64": False},
    ],
    ids=str,
)
def test_what_is_critical_is_refused(doors: Doors, member: dict) -> None:
    """RFC 7515, section 4.1.11: we understand none of it."""
    assert "crit" in doors.refused(token({**header(), **member}, claims(), signer("ES256")))
