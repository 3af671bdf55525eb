"""`trunkline access key` and `trunkline jwt`: keys out of files, and what cannot be one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.keyfile import KEY_FILE
from tests.integration.cli.conftest import Trunkline
from tests.support.tokens import KINDS, public_pem

Written = Callable[[str | bytes], str]
SHOP = ("ana@example.com", "shop")


@pytest.fixture
def user(trunkline: Trunkline) -> str:
    """The login of an access."""
    trunkline.account()
    return str(trunkline.ok("access", "create", *SHOP)["user"])


def pem(key: object) -> bytes:
    public = key.public_key()  # type: ignore[attr-defined]
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("kind", KINDS)
def test_add_list_remove(trunkline: Trunkline, database: Database, user: str, written: Written, kind: str) -> None:
    made = trunkline.ok("access", "key", "add", *SHOP, written(public_pem(kind)))
    kid = made["kid"]
    assert made == {"kid": kid, "alg": kind, "typ": "JWT", "iss": user, "sub": user, "aud": "trunkline"}
    found = Directory(database).key(kid)
    assert found is not None
    assert (found.algorithm, found.public_key) == (kind, public_pem(kind))
    (listed,) = trunkline.ok("access", "key", "list", *SHOP)
    assert listed == {"kid": kid, "alg": kind, "created": listed["created"], "removed": None}
    assert trunkline.ok("access", "key", "remove", *SHOP, kid) == {"kid": kid}
    assert Directory(database).key(kid) is None
    assert trunkline.ok("access", "key", "list", *SHOP)[0]["removed"] is not None
    assert trunkline.ok("access", "key", "add", *SHOP, written(public_pem(kind)))["kid"] == kid


def test_several_and_a_kid_of_ones_own(trunkline: Trunkline, user: str, written: Written) -> None:
    first = trunkline.ok("access", "key", "add", *SHOP, written(public_pem("ES256")), "--kid", "2026-01")
    second = trunkline.ok("access", "key", "add", *SHOP, written(public_pem("ES256", 1)), "--kid", "2026-02")
    assert [first["kid"], second["kid"]] == ["2026-01", "2026-02"]
    assert [row["kid"] for row in trunkline.ok("access", "key", "list", *SHOP)] == ["2026-01", "2026-02"]


def test_the_audience_is_the_public_url(
    trunkline: Trunkline, user: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNKLINE_PUBLIC_URL", "https://sms.example.com/")
    made = trunkline.ok("access", "key", "add", *SHOP, written(public_pem("ES256")))
    assert made["aud"] == "https://sms.example.com"


RSA_1024 = rsa.generate_private_key(65537, 1024)
PRIVATE = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
KINDS_REFUSED = "keys are RSA, EC on the curve P-256 (prime256v1), or Ed25519; this one is another"
NO_KEY = "holds no public key in PEM (-----BEGIN PUBLIC KEY-----)"
FILES = [
    ("short RSA", pem(RSA_1024), "an RSA key has 2048 to 8192 bits here, not 1024"),
    ("P-384", pem(ec.generate_private_key(ec.SECP384R1())), KINDS_REFUSED),
    ("secp256k1", pem(ec.generate_private_key(ec.SECP256K1())), KINDS_REFUSED),
    ("Ed448", pem(ed448.Ed448PrivateKey.generate()), KINDS_REFUSED),
    ("X25519", pem(x25519.X25519PrivateKey.generate()), KINDS_REFUSED),
    ("DSA", pem(dsa.generate_private_key(2048)), KINDS_REFUSED),
    ("private", PRIVATE, "holds a private key: keep it to yourself, and give the public one"),
    ("empty", b"", NO_KEY),
    ("text", b"a-secret-that-is-no-key", NO_KEY),
    ("cut", public_pem("RS256").encode()[:200], NO_KEY),
    ("long", public_pem("RS256").encode() + b"\n" * 20_000, NO_KEY),
    ("NUL", b"\0" * 100, NO_KEY),
]


@pytest.mark.parametrize(("content", "text"), [c[1:] for c in FILES], ids=[c[0] for c in FILES])
def test_no_key_for_us(trunkline: Trunkline, user: str, written: Written, content: bytes, text: str) -> None:
    code, line = trunkline.fails("access", "key", "add", *SHOP, written(content))
    assert (code, line.endswith(text)) == (2, True), line
    assert "a-secret" not in line
    assert trunkline.ok("access", "key", "list", *SHOP) == []


@pytest.mark.parametrize("kid", ["", "a b", "trunkline-1", "x" * 65, "ä", "../x", "a'b"], ids=range(7))
def test_no_kid(trunkline: Trunkline, user: str, written: Written, kid: str) -> None:
    code, line = trunkline.fails("access", "key", "add", *SHOP, written(public_pem("ES256")), "--kid", kid)
    assert (code, "is no kid" in line) == (2, True)


def test_what_is_not_there(trunkline: Trunkline, user: str, written: Written) -> None:
    file = written(public_pem("ES256"))
    assert trunkline.fails("access", "key", "add", "bob@example.com", "shop", file)[0] == 2
    assert trunkline.fails("access", "key", "add", "ana@example.com", "none", file)[0] == 2
    assert trunkline.fails("access", "key", "add", *SHOP, f"{file}.none")[0] == 2
    assert trunkline.fails("access", "key", "remove", *SHOP, "none")[0] == 2
    assert trunkline.fails("jwt", "revoke", "ana@example.com", "none")[0] == 2


def test_a_kid_that_is_taken(trunkline: Trunkline, user: str, written: Written) -> None:
    trunkline.ok("access", "key", "add", *SHOP, written(public_pem("ES256")), "--kid", "k")
    code, line = trunkline.fails("access", "key", "add", *SHOP, written(public_pem("RS256")), "--kid", "k")
    assert (code, line) == (2, "trunkline: The kid 'k' is taken: choose another one with --kid.")


def test_a_revoked_access_takes_no_key(trunkline: Trunkline, user: str, written: Written) -> None:
    trunkline.ok("access", "revoke", *SHOP)
    code, line = trunkline.fails("access", "key", "add", *SHOP, written(public_pem("ES256")))
    assert (code, "is revoked" in line) == (1, True)


def test_rotate(trunkline: Trunkline, database: Database, tmp_path: Path) -> None:
    first = trunkline.ok("jwt", "rotate")["kid"]
    second = trunkline.ok("jwt", "rotate")["kid"]
    listed = trunkline.ok("jwt", "keys")
    assert [(row["kid"], row["retires"] is None) for row in listed] == [(second, True), (first, False)]
    current = Directory(database).signing_key()
    assert current is not None
    assert current.kid == second
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_end_tokens(trunkline: Trunkline, database: Database, user: str) -> None:
    trunkline.ok("jwt", "revoke", *SHOP)
    found = Directory(database).access(user)
    assert found is not None
    assert found.generation == 1
