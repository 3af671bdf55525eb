"""Another algorithm than the key's: a public key as an HMAC's secret, one key for another (RFC 8725, section 3.1)."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from gateway.operations.errors import Refusal
from gateway.pipeline import tokens
from gateway.storage.queries import keys
from tests.support.tokens import (
    KINDS,
    Credulous,
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

# Forms in which a library may take the public key for the secret.
FORMS = {
    "PEM": lambda pem: pem.encode(),
    "PEM without its last line's end": lambda pem: pem.strip().encode(),
    "PEM with CRLF": lambda pem: pem.replace("\n", "\r\n").encode(),
    "DER": lambda pem: base64.b64decode("".join(pem.split("\n")[1:-2])),
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", KINDS)
def test_public_key_as_secret(doors: Doors, kind: str, digest: str, form: str) -> None:
    alg = f"HS{digest[3:]}"
    secret = FORMS[form](public_pem(kind))
    assert not doors.accepted(token(header(kind, alg=alg), claims(), hmac_signer(secret, digest)))
    # Also not where the header names the key's own algorithm.
    assert not doors.accepted(token(header(kind), claims(), hmac_signer(secret, digest)))


def test_our_public_key_as_secret(doors: Doors) -> None:
    head, body, _ = parts(doors.log_in()["access_token"])
    with doors.database.read() as connection:
        ours = keys.by_kid(connection, head["kid"])
    assert ours is not None
    for secret in (ours.public_key.encode(), ours.public_key.strip().encode()):
        forged = token({**head, "alg": "HS256"}, {**body, "sub": "tl_other"}, hmac_signer(secret))
        assert not doors.accepted(forged)


@pytest.mark.parametrize(
    "other", ["RS384", "RS512", "PS256", "ES384", "ES256K", "Ed25519", "eddsa", "es256", "rs256"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_another_name_for_a_good_signature(doors: Doors, kind: str, other: str) -> None:
    """The signature is right by the key's algorithm, the header says another."""
    assert not doors.accepted(token(header(kind, alg=other), claims(), signer(kind)))


RSA_SIGNATURES: dict[str, tuple[Any, Any]] = {
    "RS384": (padding.PKCS1v15(), SHA384()),
    "RS512": (padding.PKCS1v15(), SHA512()),
    "PS256": (padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
}


@pytest.mark.parametrize("alg", RSA_SIGNATURES)
def test_another_algorithm_of_the_same_key(doors: Doors, alg: str) -> None:
    """The signature is right, and the key could make it, but one key has one algorithm."""
    text = token(
        header("RS256", alg=alg), claims(), lambda data: private_key("RS256", 0).sign(data, *RSA_SIGNATURES[alg])
    )
    assert not doors.accepted(text)
    assert not doors.accepted(
        token(header("RS256"), claims(), lambda data: private_key("RS256", 0).sign(data, *RSA_SIGNATURES[alg]))
    )


@pytest.mark.parametrize("alg", ["HS256", *RSA_SIGNATURES, "ES256", "EdDSA", "rs256"])
def test_the_library_is_not_relied_on(doors: Doors, alg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose header names another algorithm than its key has does not come to it."""
    monkeypatch.setattr(tokens, "_jws", Credulous())
    assert not doors.accepted(token(header("RS256", alg=alg), claims(), signer("RS256")))
    assert doors.accepted(own_token("RS256"))


@pytest.mark.parametrize("alg", RSA_SIGNATURES)
def test_the_library_is_told_the_one_algorithm(doors: Doors, alg: str) -> None:
    """Beside our own look at the header: the key makes this signature, and the library knows the algorithm."""
    text = token(
        header("RS256", alg=alg), claims(), lambda data: private_key("RS256", 0).sign(data, *RSA_SIGNATURES[alg])
    )
    with pytest.raises(Refusal, match="by the algorithm of that key"):
        doors.gateway.tokens.verify(text, header("RS256"))
    assert doors.gateway.tokens.verify(own_token("RS256"), header("RS256")).login == "tl_shop"


@pytest.mark.parametrize("signed_by", KINDS)
@pytest.mark.parametrize("kid", KINDS)
def test_one_key_for_another(doors: Doors, kid: str, signed_by: str) -> None:
    """Each key is the access's own, but the header names another of them."""
    for alg in (kid, signed_by):
        accepted = doors.accepted(token(header(kid, alg=alg, kid=kid), claims(), signer(signed_by)))
        assert accepted == (kid == signed_by)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_nobody_registered(doors: Doors, kind: str) -> None:
    assert not doors.accepted(token(header(kind), claims(), signer(kind, number=1)))
    assert doors.accepted(own_token(kind))
