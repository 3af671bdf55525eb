"""Chosen passwords cost a guesser, generated secrets cost nothing; wrong ones never pass."""

import pytest

from gateway.storage import passwords

SLOW = passwords.hash_password("correct horse")
SECRET = passwords.new_secret()
FAST = passwords.hash_secret(SECRET)


@pytest.mark.parametrize(
    ("stored", "candidate", "right"),
    [
        pytest.param(SLOW, "correct horse", True, id="password"),
        pytest.param(SLOW, "correct horse ", False, id="a space more"),
        pytest.param(SLOW, "", False, id="empty"),
        pytest.param(SLOW, "\ud800", False, id="lone surrogate"),
        pytest.param(SLOW, SLOW, False, id="the hash itself"),
        pytest.param(FAST, SECRET, True, id="secret"),
        pytest.param(FAST, SECRET[:-1], False, id="secret cut short"),
        pytest.param(FAST, "\ud800", False, id="secret, lone surrogate"),
        pytest.param(FAST, FAST, False, id="the digest itself"),
        pytest.param("sha256$", "", False, id="no digest"),
        pytest.param("", "", False, id="no hash"),
        pytest.param("correct horse", "correct horse", False, id="a hash that is none"),
        pytest.param("$argon2id$v=19$broken", "correct horse", False, id="a broken hash"),
    ],
)
def test_verify(stored: str, candidate: str, right: bool) -> None:
    assert passwords.verify(stored, candidate) is right


def test_password_beyond_ascii() -> None:
    assert passwords.verify(passwords.hash_password("pässword ✓"), "pässword ✓")


def test_same_password_hashes_differently() -> None:
    assert passwords.hash_password("correct horse") != SLOW


def test_hash_is_argon2id_within_64_mib() -> None:
    parameters = dict(pair.split("=") for pair in SLOW.split("$")[3].split(","))
    assert SLOW.startswith("$argon2id$")
    assert int(parameters["m"]) <= 65_536


def test_hashes_fit_their_column() -> None:
    assert max(len(SLOW), len(FAST)) <= 200


def test_slow_and_fast_are_told_apart() -> None:
    assert passwords.is_slow(SLOW)
    assert not passwords.is_slow(FAST)


def test_secrets_hold_128_bits_and_are_url_safe() -> None:
    secrets = {passwords.new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert all(len(secret) * 6 >= 128 for secret in secrets)
    assert set("".join(secrets)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
