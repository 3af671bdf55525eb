"""Finding out which logins exist."""

import pytest

from tests.security.conftest import Site

LOGINS = ["ana@example.com", "tl_open", "nobody@example.com", "tl_nobody", "x' OR '1'='1", "\0", "n" * 5000]


def test_an_unknown_login_is_answered_as_a_wrong_secret(site: Site) -> None:
    replies = [site.call(login, "wrong") for login in LOGINS]
    assert replies[0]["error"] == "INCORRECT_USER_PASSWORD"
    assert all(reply == replies[0] for reply in replies)


@pytest.mark.parametrize("login", LOGINS, ids=range(len(LOGINS)))
def test_and_takes_the_same_work(site: Site, login: str) -> None:
    site.call(login, "wrong")
    assert site.hashed == 1


@pytest.mark.parametrize("login", ["ana@example.com", "tl_open", "nobody"])
def test_and_is_held_up_alike(site: Site, login: str) -> None:
    outcomes = [site.outcome(login, f"guess {number}") for number in range(12)]
    assert outcomes == ["INCORRECT_USER_PASSWORD"] * 10 + ["TOO_MANY_REQUESTS"] * 2


def test_what_the_login_may_do_is_told_to_its_owner_only(site: Site) -> None:
    for more in ({"class": "nosuch"}, {"method": "nosuch"}, {"class": "sms", "method": "sendsms"}):
        assert site.outcome("tl_open", "wrong", **more) == "INCORRECT_USER_PASSWORD"
    assert site.outcome("tl_open", site.secret, **{"class": "nosuch"}) == "INCORRECT_CLASS"
