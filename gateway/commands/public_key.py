"""Public keys out of files: of the kinds that tokens may be signed with."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gateway.commands.framework import BadInput

# NIST SP 800-57 part 1 calls 2,048 bits the least; above 8,192 each verification would take milliseconds.
_RSA_BITS = range(2048, 8193)
_LONGEST_FILE = 16_384
_MADE_KID = 22


def read(file: Path) -> tuple[str, str]:
    """The algorithm and the PEM of the public key in a file. Raises BadInput, never with what the file holds."""
    with file.open("rb") as opened:
        content = opened.read(_LONGEST_FILE + 1)
    if b"PRIVATE KEY" in content:
        raise BadInput(f"{file} holds a private key: keep it to yourself, and give the public one")
    try:
        if len(content) > _LONGEST_FILE:
            raise ValueError
        found = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput(f"{file} holds no public key in PEM (-----BEGIN PUBLIC KEY-----)") from None
    return _algorithm(found), found.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _algorithm(found: PublicKeyTypes) -> str:
    """The one algorithm that a key of this kind is used with."""
    if isinstance(found, RSAPublicKey):
        if found.key_size not in _RSA_BITS:
            raise BadInput(f"an RSA key has {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits here, not {found.key_size}")
        return "RS256"
    if isinstance(found, EllipticCurvePublicKey) and isinstance(found.curve, SECP256R1):
        return "ES256"
    if isinstance(found, Ed25519PublicKey):
        return "EdDSA"
    raise BadInput("keys are RSA, EC on the curve P-256 (prime256v1), or Ed25519; this one is another")


def thumbprint(pem: str) -> str:
    """A kid that follows from the key, so that the same one is not added twice."""
    der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = Hash(SHA256())
    digest.update(der)
    return digest.finalize().hex()[:_MADE_KID]
