"""Tokens that were revoked, by their id, their key, their access: each ends at once, and nothing else with it."""

from pathlib import Path

import pytest

from gateway import app, clock
from gateway.storage import signing
from gateway.storage.database import Database
from gateway.storage.hosts import DirectHost
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import accesses, accounts, keys
from gateway.storage.writer import Writer
from tests.support.tokens import HOME, KINDS, Doors, claims, header, own_token, public_pem, signer, token

REVOKED = "The token, its key or what it was got with was revoked or changed."


def test_by_id(doors: Doors) -> None:
    """RFC 7009: who holds a token may end it. It was in use, so it was remembered as good."""
    given, apart = doors.log_in(), doors.log_in()
    assert doors.accepted(given["access_token"])
    assert doors.revoke(given["access_token"]).status_code == 200
    assert doors.refused(given["access_token"]) == REVOKED
    assert doors.accepted(apart["access_token"])
    assert doors.renew(given["refresh_token"]).status_code == 200


def test_with_its_family(doors: Doors) -> None:
    given, apart = doors.log_in(), doors.log_in()
    second = doors.renew(given["refresh_token"]).get_json()
    assert doors.revoke(second["refresh_token"]).status_code == 200
    for each in (given, second):
        assert doors.refused(each["access_token"]) == REVOKED
        assert doors.renew(each["refresh_token"]).status_code == 400
    assert doors.accepted(apart["access_token"])


@pytest.mark.parametrize("kind", KINDS)
def test_customers_own_by_id(doors: Doors, kind: str) -> None:
    text, same, other = own_token(kind), own_token(kind, more=1), own_token(kind, jti="second")
    assert doors.accepted(text)
    assert doors.revoke(text).status_code == 200
    assert doors.refused(text) == REVOKED
    assert doors.refused(same) == REVOKED
    assert doors.accepted(other)


def test_ids_of_different_accesses_are_different(doors: Doors) -> None:
    home = doors.access_ids["tl_home"]
    doors.change(keys.add, home, "home", "ES256", public_pem("ES256", 5), 1)
    theirs = token(header(kid="home"), claims(iss="tl_home", sub="tl_home"), signer("ES256", 5))
    assert doors.accepted(theirs, HOME)
    doors.revoke(own_token())
    assert doors.accepted(theirs, HOME)
    doors.revoke(theirs, HOME)
    assert not doors.accepted(theirs, HOME)


@pytest.mark.parametrize(
    "text", ["x", "a.b.c", own_token("RS256")[:-8], own_token(aud="other"), own_token(exp=1, iat=0)]
)
def test_a_worthless_token_is_as_good_as_revoked(doors: Doors, text: str) -> None:
    """RFC 7009, section 2.2; the log says what it was."""
    answer = doors.revoke(text)
    assert (answer.status_code, answer.get_json()) == (200, {})
    (entry,) = doors.logged()
    assert (entry["method"], entry["outcome"], entry["http_status"]) == ("revoke", "INCORRECT_USER_PASSWORD", 200)


def test_with_its_key(doors: Doors) -> None:
    text, other = own_token("ES256"), own_token("EdDSA")
    assert doors.accepted(text)
    doors.change(keys.remove, doors.access_ids["tl_shop"], "ES256", clock.now())
    doors.refused(text)
    doors.refused(own_token("ES256", jti="new"))
    assert doors.accepted(other)


def test_another_key_of_the_same_kid(doors: Doors) -> None:
    """A token that was verified, and remembered, with the key before."""
    text, shop = own_token("ES256"), doors.access_ids["tl_shop"]
    assert doors.accepted(text)
    doors.change(keys.remove, shop, "ES256", clock.now())
    doors.change(keys.add, shop, "ES256", "ES256", public_pem("ES256", 1), clock.now())
    doors.refused(text)


@pytest.mark.parametrize("own", [True, False], ids=["signed by the customer", "ours"])
def test_with_its_access(doors: Doors, own: bool) -> None:
    text = own_token() if own else doors.log_in()["access_token"]
    assert doors.accepted(text)
    doors.change(accesses.revoke, doors.access_ids["tl_shop"], clock.now())
    answer = doors.balance(text)
    assert (answer.status_code, answer.get_json()["detail"]) == (403, "This access was revoked.")


@pytest.mark.parametrize("own", [True, False], ids=["signed by the customer", "ours"])
def test_with_its_account(doors: Doors, own: bool) -> None:
    text = own_token() if own else doors.log_in()["access_token"]
    assert doors.accepted(text)
    with doors.database.transaction() as connection:
        accounts.change(connection, doors.account_id, suspended_at=clock.now())
    assert doors.balance(text).get_json()["detail"] == "The account is suspended."


def test_with_the_secret_it_was_got_with(doors: Doors) -> None:
    """Who changes a secret that leaked ends what was got with it; customers' own keys are not part of that."""
    given, own = doors.log_in()["access_token"], own_token()
    assert doors.accepted(given)
    doors.change(accesses.set_secret, doors.access_ids["tl_shop"], "sha256$00")
    assert doors.refused(given) == REVOKED
    assert doors.accepted(own)


@pytest.mark.parametrize("at_once", [True, False])
def test_rotation_of_our_key(doors: Doors, tmp_path: Path, at_once: bool) -> None:
    before = doors.log_in()
    assert doors.accepted(before["access_token"])
    now = clock.now()
    with doors.database.transaction() as connection:
        signing.rotate(
            connection, Sealer(tmp_path / "doors" / KEY_FILE), now, now if at_once else now + signing.OVERLAP
        )
    after = doors.log_in()
    assert doors.accepted(after["access_token"])
    assert doors.accepted(before["access_token"]) != at_once
    assert doors.renew(before["refresh_token"]).status_code == 200


def test_a_retired_key_verifies_nothing(doors: Doors, tmp_path: Path) -> None:
    before = doors.log_in()["access_token"]
    with doors.database.transaction() as connection:
        now = clock.now()
        signing.rotate(connection, Sealer(tmp_path / "doors" / KEY_FILE), now, now + 10_000_000)
    assert doors.accepted(before)
    real = doors.gateway.tokens._now
    doors.gateway.tokens._now = lambda: real() + 11_000_000
    doors.gateway.tokens._known.clear()
    doors.refused(before)


def test_every_process_knows_at_its_next_look(doors: Doors, database: Database, tmp_path: Path) -> None:
    other = app.build(doors.gateway.settings, database, DirectHost(Writer(database)), doors)
    given = doors.log_in()["access_token"]
    proof = other.tokens.bearer(given)
    assert proof.access("192.0.2.1").login == "tl_shop"
    doors.revoke(given)
    assert other.tokens.bearer(given).access("192.0.2.1").login == "tl_shop"
    other.refresh()
    with pytest.raises(Exception, match="revoked"):
        other.tokens.bearer(given).access("192.0.2.1")
    other.buckets.close()


def test_revoking_makes_nobody_read_the_configuration_anew(doors: Doors) -> None:
    given = doors.log_in()["access_token"]
    doors.balance(given)
    routes = doors.gateway.directory.routes
    doors.revoke(given)
    doors.refused(given)
    assert doors.gateway.directory.routes is routes
