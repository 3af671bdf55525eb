"""Guessing secrets: from a network that an access does not allow, and faster than anybody mistypes."""

import secrets

from gateway.pipeline.throttle import Throttle
from tests.security.conftest import OFFICE, PASSWORD, STRANGER, Site


def test_from_a_foreign_network_a_right_and_a_wrong_secret_are_the_same(site: Site) -> None:
    right = site.call("tl_office", site.secret)
    wrong = site.call("tl_office", "wrong")
    assert right == wrong
    assert right["error"] == "IP_NOT_ALLOWED"
    assert site.hashed == 0
    assert site.outcome("tl_office", site.secret, OFFICE) == "SUCCESS"


def test_nor_are_they_told_apart_by_what_is_held_up(site: Site) -> None:
    """The right secret passes where wrong ones are held up, but not from where it may not be used at all."""
    throttle = Throttle(site.gateway.buckets)
    while throttle.take(STRANGER, f"nobody{secrets.token_hex(4)}"):
        pass
    assert site.call("tl_office", site.secret) == site.call("tl_office", "wrong")
    assert site.outcome("tl_office", site.secret) == "TOO_MANY_REQUESTS"


def test_guesses_are_held_up_before_they_are_hashed(site: Site) -> None:
    outcomes = [site.outcome("ana@example.com", f"guess {n}") for n in range(12)]
    assert outcomes == ["INCORRECT_USER_PASSWORD"] * 10 + ["TOO_MANY_REQUESTS"] * 2
    assert site.hashed == 10
    assert site.outcome("ana@example.com", PASSWORD) == "TOO_MANY_REQUESTS"


def test_spelling_a_login_differently_gives_no_more_guesses(site: Site) -> None:
    logins = ["ana@example.com", "Ana@example.com", "ANA@EXAMPLE.COM", "ana@Example.com"]
    outcomes = [site.outcome(logins[n % 4], f"guess {n}") for n in range(12)]
    assert outcomes == ["INCORRECT_USER_PASSWORD"] * 10 + ["TOO_MANY_REQUESTS"] * 2


def test_guesses_from_elsewhere_hold_up_nobody(site: Site) -> None:
    """Not even the first log-in of who has a password that is hashed slowly, which nothing remembers yet."""
    assert [site.outcome("ana@example.com", f"guess {n}", STRANGER) for n in range(11)][-1] == "TOO_MANY_REQUESTS"
    assert site.outcome("ana@example.com", PASSWORD, OFFICE) == "SUCCESS"


def test_a_stranger_locks_out_nobody(site: Site) -> None:
    assert site.outcome("ana@example.com", PASSWORD, OFFICE) == "SUCCESS"
    for login in ("ana@example.com", "tl_open"):
        assert [site.outcome(login, f"guess {n}", OFFICE) for n in range(11)][-1] == "TOO_MANY_REQUESTS"
    assert site.outcome("ana@example.com", PASSWORD, OFFICE) == "SUCCESS"
    assert site.outcome("tl_open", site.secret, OFFICE) == "SUCCESS"
    assert site.outcome("tl_open", site.secret, STRANGER) == "SUCCESS"
