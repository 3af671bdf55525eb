"""Secrets that get into the log: by their own parameter, by a mistake of the caller's, by what repeats them."""

import pytest
from sqlalchemy import select

from gateway.storage.schema import metadata
from tests.security.conftest import PASSWORD, STRANGER, Site

PLACES = [
    ("accepted", {}, {}),
    ("also as an unknown parameter", {"pass": "{}"}, {}),
    ("also as the login", {"user": "{}"}, {}),
    ("also as the class", {"class": "{}"}, {}),
    ("also as the method", {"method": "{}"}, {}),
    ("also as the output", {"output": "{}"}, {}),
    ("also as a parameter's name", {"{}": "1"}, {}),
    ("also as a number", {"class": "sms", "method": "sendsms", "from": "Shop", "to": "{}", "sms": "Hi"}, {}),
    ("also as a date", {"class": "sms", "method": "sendsms", "to": "1", "scheduledatetime": "{}"}, {}),
    ("also within a text", {"class": "sms", "method": "sendsms", "to": "x", "sms": "My password is {}."}, {}),
    ("also as the user agent", {}, {"User-Agent": "curl {}"}),
    ("also in a user agent that is cut", {}, {"User-Agent": "c" * 185 + "{}"}),
    ("also as the request id", {}, {"X-Request-Id": "{}"}),
    ("also as an idempotency key", {"idempotencykey": "{}"}, {}),
]


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize(("more", "headers"), [c[1:] for c in PLACES], ids=[c[0] for c in PLACES])
def test_no_secret_is_written(site: Site, right: bool, more: dict, headers: dict) -> None:
    for login, known in (("tl_open", site.secret), ("ana@example.com", PASSWORD)):
        secret = known if right else f"{known[::-1]}w"
        given = {name.format(secret): value.format(secret) for name, value in more.items()}
        user = given.pop("user", login)
        site.call(user, secret, headers={name: value.format(secret) for name, value in headers.items()}, **given)
        assert len(site.logged()) > 0
        assert secret[:12] not in everything(site)


@pytest.mark.parametrize("place", ["class", "method"])
@pytest.mark.parametrize("proven", [True, False], ids=["of a customer", "of a stranger"])
def test_a_password_of_another_in_place_of_class_or_method(site: Site, place: str, proven: bool) -> None:
    """Not the one that the call was made with, so nothing else of the call tells that it is one."""
    typed = "correct horse battery"
    site.call("tl_open", site.secret if proven else "wrong", **{place: typed})
    (row,) = site.logged()
    assert row[place] == f"?[{len(typed)}]"
    assert "correct" not in everything(site)
    assert "battery" not in everything(site)


@pytest.mark.parametrize("name", ["passwd", "old_password", "apikey", "access_token", "client_secret", "pwd"])
def test_a_secret_of_another_under_a_name_of_secrets(site: Site, name: str) -> None:
    """Its name tells that it is one, so that it is looked for in the rest of the call too."""
    other = "Zk81-another-horse"
    call = {"class": "sms", "method": "sendsms", "from": "Shop", "to": other, "sms": f"Log in with {other}."}
    assert site.outcome("tl_open", site.secret, **call, **{name: other}) != "SUCCESS"
    assert len(site.logged()) == 1
    assert other[:12] not in everything(site)


def test_a_secret_of_another_under_a_name_of_nothing(site: Site) -> None:
    """Nothing tells that it is one, so nothing of what no operation asks for is kept."""
    for name in ("kennwort", "pin", "auth", "Passphras"):
        assert site.outcome("tl_open", site.secret, **{name: "Zk81-another-horse"}) == "SUCCESS"
    assert len(site.logged()) == 4
    assert "Zk81" not in everything(site)


def everything(site: Site) -> str:
    with site.database.read() as connection:
        return str([connection.execute(select(table)).all() for table in metadata.sorted_tables])


def test_a_caller_writes_no_line_of_the_log(site: Site) -> None:
    forged = "tl\n2026-01-01 INFO all is well\x1b[2J\u202e"
    site.call(forged, "wrong", headers={"User-Agent": "curl\tx"}, method=forged)
    (entry,) = site.logged()
    for name in ("login", "method", "user_agent"):
        assert entry[name].isprintable()


def test_a_flood_of_strangers_does_not_fill_the_log(site: Site) -> None:
    for number in range(150):
        site.call("nobody", f"guess {number}", STRANGER)
    entries = site.logged()
    assert sum(entry["count"] for entry in entries) == 150
    assert len(entries) <= 12
    assert entries[-1]["outcome"] == "TOO_MANY_REQUESTS"
