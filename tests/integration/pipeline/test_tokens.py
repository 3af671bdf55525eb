"""Tokens that were verified are remembered: a call with one costs neither a signature nor the database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import app
from gateway.pipeline import tokens
from gateway.storage.database import Database
from gateway.storage.keyfile import KEY_FILE
from gateway.storage.queries import tokens as stored
from tests.support.tokens import KINDS, Doors, own_token, parts


@pytest.fixture
def doors(database: Database, tmp_path: Path) -> Iterator[Doors]:
    made = Doors(database, tmp_path / "doors")
    yield made
    made.close()


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were looked at, in turn."""
    seen: list[str] = []
    decode = tokens._jws.decode

    def count(text: str, *rest: Any, **more: Any) -> Any:
        seen.append(text)
        return decode(text, *rest, **more)

    monkeypatch.setattr(tokens._jws, "decode", count)
    return seen


@pytest.mark.parametrize("kind", [*KINDS, "ours"])
def test_verified_once(doors: Doors, verified: list[str], monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    text = doors.log_in()["access_token"] if kind == "ours" else own_token(kind)
    proof = doors.gateway.tokens.bearer(text)
    first = proof.access("192.0.2.1")
    monkeypatch.setattr(stored, "any_revoked", None)
    for _ in range(3):
        assert doors.gateway.tokens.bearer(text).access("192.0.2.1") is first
    assert verified == [text]


def test_a_refusal_is_not_remembered(doors: Doors, verified: list[str]) -> None:
    text = own_token(aud="other")
    for _ in range(3):
        doors.refused(text)
    assert verified == [text] * 3


def test_what_is_remembered_is_bounded(doors: Doors, verified: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 3)
    texts = [own_token("EdDSA", jti=str(number)) for number in range(5)]
    for text in texts:
        assert doors.accepted(text)
    assert len(doors.gateway.tokens._known) == 3
    assert doors.accepted(texts[-1])
    assert len(verified) == 5
    assert doors.accepted(texts[0])
    assert len(verified) == 6


def test_a_change_of_the_configuration_costs_no_signature(doors: Doors, verified: list[str]) -> None:
    text = own_token()
    assert doors.accepted(text)
    with doors.database.transaction() as connection:
        stored.revoke(connection, doors.access_ids["tl_shop"], "another", 2**50)
    assert doors.accepted(text)
    assert len(verified) == 1


def test_tokens_outlive_a_restart(doors: Doors, database: Database, tmp_path: Path) -> None:
    given = doors.log_in()
    again = app.build(doors.gateway.settings, database, doors.host, doors)
    assert again.tokens.bearer(given["access_token"]).access("192.0.2.1").login == "tl_shop"
    assert again.tokens.refresh(given["refresh_token"]).access("192.0.2.1").login == "tl_shop"
    again.buckets.close()


def test_without_the_key_file_none_is_given_out(doors: Doors, tmp_path: Path) -> None:
    """What was given out before is verified all the same; the answer tells no path."""
    given = doors.log_in()["access_token"]
    doors.gateway.grants._signing = None
    doors.gateway.grants._sealer._cipher = None
    (tmp_path / "doors" / KEY_FILE).unlink()
    answer = doors.ask("/api/jwt/token", data={"user": "tl_shop", "password": doors.secret})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert str(tmp_path) not in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "5"
    assert doors.accepted(given)


def test_each_token_has_its_own_id(doors: Doors) -> None:
    first = doors.log_in()
    second = doors.renew(first["refresh_token"]).get_json()
    apart = doors.log_in()
    claims = [parts(each["access_token"])[1] for each in (first, second, apart)]
    assert len({each["jti"] for each in claims}) == 3
    assert [each["sid"] == claims[0]["sid"] for each in claims] == [True, True, False]
    assert {each["ver"] for each in claims} == {f"{doors.access_ids['tl_shop']}.0"}


@pytest.mark.parametrize("seconds", [60, 3600])
def test_lifetime_as_set(database: Database, tmp_path: Path, seconds: int) -> None:
    doors = Doors(database, tmp_path / "doors", access_token_seconds=seconds)
    given = doors.log_in()
    body = parts(given["access_token"])[1]
    assert body["exp"] - body["iat"] == given["expires_in"] == seconds
    assert doors.accepted(given["access_token"])
    doors.close()
