"""Who is calling: the precedence of refusals, what is remembered, and who is held up."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from argon2 import extract_parameters

from gateway.operations.errors import Code, Refusal
from gateway.pipeline import authenticate
from gateway.pipeline.authenticate import Authenticator, Verified, credentials
from gateway.pipeline.buckets import Buckets
from gateway.pipeline.throttle import Throttle
from gateway.storage.errors import Blind
from tests.support.calls import PASSWORD, PASSWORD_HASH, SECRET, Known, a_call, an_access, networks
from tests.support.wait import until

SECOND = 1_000_000_000
HOME, AWAY = "192.0.2.1", "198.51.100.9"

SHOP = an_access()
OFFICE = an_access(id=4, login="tl_office", networks=networks("192.0.2.0/24"))
ANA = an_access(id=5, login="ana@example.com", secret=PASSWORD_HASH)
BOB = an_access(id=6, login="bob@example.com", secret=PASSWORD_HASH, networks=networks("192.0.2.0/24"))


class Desk:
    """An authenticator with all that it needs; `hashed` counts the slow verifications."""

    def __init__(self, path: Path, per_login: int = 3, per_source: int = 7) -> None:
        self.now = 1000.0
        self.hashed = 0
        self.buckets = Buckets(path, 1024, lambda: int(self.now * SECOND))
        self.directory = Known(SHOP, OFFICE, ANA, BOB)
        throttle = Throttle(self.buckets, per_login, per_source)
        self.authenticator = Authenticator(self.directory, throttle, self._count, lambda: self.now)

    def _count(self, work: Callable[[], bool]) -> bool:
        self.hashed += 1
        return work()

    def __call__(self, login: str | None, secret: str | None, source_ip: str = HOME, **more: Any) -> str:
        """The code of the refusal, or the name of the access's login."""
        try:
            return self.authenticator.authenticate(
                a_call(login=login, secret=secret, source_ip=source_ip, **more)
            ).login
        except Refusal as refusal:
            return refusal.code.value


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "b")
    yield made
    made.buckets.close()


GOOD = [
    ("a generated secret", "tl_shop", SECRET, AWAY),
    ("a generated secret from its network", "tl_office", SECRET, HOME),
    ("a chosen password", "ana@example.com", PASSWORD, AWAY),
    ("a chosen password from its network", "bob@example.com", PASSWORD, HOME),
]


@pytest.mark.parametrize(("login", "secret", "source"), [c[1:] for c in GOOD], ids=[c[0] for c in GOOD])
def test_the_right_secret(desk: Desk, login: str, secret: str, source: str) -> None:
    assert desk(login, secret, source) == login


REFUSED = [
    ("no login", None, SECRET, HOME, "MISSING_USER"),
    ("an empty login", "", SECRET, HOME, "MISSING_USER"),
    ("neither", None, None, HOME, "MISSING_USER"),
    ("no secret", "tl_shop", None, HOME, "MISSING_PASSWORD"),
    ("an empty secret", "nobody", "", HOME, "MISSING_PASSWORD"),
    ("an unknown login", "nobody", SECRET, HOME, "INCORRECT_USER_PASSWORD"),
    ("a wrong generated secret", "tl_shop", SECRET + "x", HOME, "INCORRECT_USER_PASSWORD"),
    ("a wrong password", "ana@example.com", "wrong", HOME, "INCORRECT_USER_PASSWORD"),
    ("somebody else's secret", "ana@example.com", SECRET, HOME, "INCORRECT_USER_PASSWORD"),
    ("the stored hash itself", "tl_shop", SHOP.secret, HOME, "INCORRECT_USER_PASSWORD"),
    ("a secret in another case", "tl_shop", SECRET.upper(), HOME, "INCORRECT_USER_PASSWORD"),
    ("a lone surrogate", "ana@example.com", "\ud800", HOME, "INCORRECT_USER_PASSWORD"),
    ("a lone surrogate for a login", "\ud800", "x", HOME, "INCORRECT_USER_PASSWORD"),
    ("right but from elsewhere", "tl_office", SECRET, AWAY, "IP_NOT_ALLOWED"),
    ("wrong and from elsewhere", "tl_office", "wrong", AWAY, "IP_NOT_ALLOWED"),
    ("a right password from elsewhere", "bob@example.com", PASSWORD, AWAY, "IP_NOT_ALLOWED"),
    ("a wrong password from elsewhere", "bob@example.com", "wrong", AWAY, "IP_NOT_ALLOWED"),
]


@pytest.mark.parametrize(("login", "secret", "source", "code"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(desk: Desk, login: str | None, secret: str | None, source: str, code: str) -> None:
    assert desk(login, secret, source) == code


def test_credentials_are_asked_for_before_anything_else() -> None:
    assert credentials(a_call(login="x", secret="y", source_ip=AWAY)) == ("x", "y")


def test_wrong_ones_are_held_up_and_the_right_one_passes(desk: Desk) -> None:
    wrong = ["INCORRECT_USER_PASSWORD"] * 3 + ["TOO_MANY_REQUESTS"] * 2
    assert [desk("tl_shop", f"guess {n}") for n in range(5)] == wrong
    assert desk("tl_shop", SECRET) == "tl_shop"
    assert desk("tl_shop", "guess 6") == "TOO_MANY_REQUESTS"
    desk.now += 20
    assert desk("tl_shop", "guess 7") == "INCORRECT_USER_PASSWORD"


def test_a_password_that_was_verified_passes_whatever_a_stranger_tries(desk: Desk) -> None:
    assert desk("ana@example.com", PASSWORD) == "ana@example.com"
    for guess in range(9):
        desk("ana@example.com", f"guess {guess}")
    assert desk("ana@example.com", "guess") == "TOO_MANY_REQUESTS"
    assert desk("ana@example.com", PASSWORD) == "ana@example.com"


def test_a_password_not_yet_verified_waits_with_the_guesses_of_its_own_address_only(desk: Desk) -> None:
    for guess in range(4):
        desk("ana@example.com", f"guess {guess}", AWAY)
    hashed = desk.hashed
    assert desk("ana@example.com", PASSWORD, AWAY) == "TOO_MANY_REQUESTS"
    assert desk.hashed == hashed
    assert desk("ana@example.com", PASSWORD, HOME) == "ana@example.com"


def test_right_ones_are_not_counted(desk: Desk) -> None:
    for _ in range(20):
        assert desk("ana@example.com", PASSWORD) == "ana@example.com"
        desk.now += 0.001
        desk.authenticator._verified = Verified(lambda: desk.now)
        if desk.hashed >= 5:
            break
    assert desk.hashed == 5
    assert desk("ana@example.com", "wrong") == "INCORRECT_USER_PASSWORD"


def test_a_source_that_tries_many_logins_is_held_up(desk: Desk) -> None:
    answers = [desk(f"nobody{n}", "guess") for n in range(9)]
    assert answers == ["INCORRECT_USER_PASSWORD"] * 7 + ["TOO_MANY_REQUESTS"] * 2
    assert desk("nobody9", "guess", AWAY) == "INCORRECT_USER_PASSWORD"


def test_addresses_of_one_ipv6_network_count_together(desk: Desk) -> None:
    answers = [desk("tl_shop", "guess", f"2001:db8:0:1::{n}") for n in range(4)]
    assert answers[-1] == "TOO_MANY_REQUESTS"
    assert desk("tl_shop", "guess", "2001:db8:0:2::1") == "INCORRECT_USER_PASSWORD"


def test_failures_held_up_come_before_the_network(desk: Desk) -> None:
    for guess in range(7):
        desk(f"nobody{guess}", "guess", AWAY)
    assert desk("tl_office", SECRET, AWAY) == "TOO_MANY_REQUESTS"
    assert desk("tl_office", "wrong", AWAY) == "TOO_MANY_REQUESTS"


def test_a_password_is_hashed_once_and_then_remembered(desk: Desk) -> None:
    for _ in range(5):
        desk("ana@example.com", PASSWORD)
        desk.now += 59
    assert desk.hashed == 1
    desk.now += 2
    desk("ana@example.com", PASSWORD)
    assert desk.hashed == 2


def test_a_wrong_password_is_never_remembered(desk: Desk) -> None:
    assert [desk("ana@example.com", "wrong") for _ in range(2)] == ["INCORRECT_USER_PASSWORD"] * 2
    assert desk.hashed == 2


def test_a_changed_password_is_forgotten(desk: Desk) -> None:
    assert desk("ana@example.com", PASSWORD) == "ana@example.com"
    changed = authenticate.passwords.hash_password("another one")
    desk.directory.accesses["ana@example.com"] = replace(ANA, secret=changed)
    assert desk("ana@example.com", PASSWORD) == "INCORRECT_USER_PASSWORD"
    assert desk("ana@example.com", "another one") == "ana@example.com"


def test_what_is_remembered_is_bounded_and_holds_no_secret() -> None:
    verified = Verified(lambda: 0.0)
    for number in range(10_010):
        verified.add(verified.digest("hash", f"secret {number}"))
    assert len(verified._used) == 10_000
    assert not verified.knows("hash", "secret 9")
    assert verified.knows("hash", "secret 10")
    assert not any(b"secret" in digest for digest in verified._used)


def test_two_processes_remember_differently() -> None:
    assert Verified().digest("hash", "secret") != Verified().digest("hash", "secret")


class Gate:
    """Slow work that waits until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.running = 0
        self.most = 0
        self.started = 0
        self._lock = threading.Lock()

    def __call__(self, work: Callable[[], bool]) -> bool:
        with self._lock:
            self.started += 1
            self.running += 1
            self.most = max(self.most, self.running)
        self.opened.wait(10)
        with self._lock:
            self.running -= 1
        return work()


def in_threads(
    authenticator: Authenticator, calls: list[tuple[str, str]]
) -> tuple[list[str], list[threading.Thread]]:
    answers: list[str] = []

    def ask(login: str, secret: str, number: int) -> None:
        try:
            call = a_call(login=login, secret=secret, source_ip=f"192.0.2.{number}")
            answers.append(authenticator.authenticate(call).login)
        except Refusal as refusal:
            answers.append(refusal.code.value)

    threads = [threading.Thread(target=ask, args=(*call, number)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    return answers, threads


def test_first_calls_at_once_share_one_hash(desk: Desk) -> None:
    gate = Gate()
    authenticator = Authenticator(desk.directory, Throttle(desk.buckets), gate)
    calls = [("ana@example.com", PASSWORD)] * 8
    answers, threads = in_threads(authenticator, calls)
    until(lambda: gate.started == 1)
    gate.opened.set()
    for thread in threads:
        thread.join(10)
    assert answers == ["ana@example.com"] * 8
    assert gate.started == 1


def test_no_more_hashes_at_once_than_allowed(desk: Desk) -> None:
    gate = Gate()
    authenticator = Authenticator(desk.directory, Throttle(desk.buckets), gate, hashes=2)
    answers, threads = in_threads(authenticator, [("ana@example.com", f"guess {n}") for n in range(6)])
    until(lambda: gate.running == 2)
    gate.opened.set()
    for thread in threads:
        thread.join(10)
    assert gate.most == 2
    assert answers == ["INCORRECT_USER_PASSWORD"] * 6


def test_guesses_sent_at_once_are_counted_before_they_are_checked(desk: Desk) -> None:
    gate = Gate()
    authenticator = Authenticator(desk.directory, Throttle(desk.buckets, per_login=3), gate, hashes=9)
    answers: list[str] = []

    def ask(number: int) -> None:
        try:
            authenticator.authenticate(a_call(login="ana@example.com", secret=f"guess {number}"))
        except Refusal as refusal:
            answers.append(refusal.code.value)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) == 5)
    gate.opened.set()
    for thread in threads:
        thread.join(10)
    assert answers == ["TOO_MANY_REQUESTS"] * 5 + ["INCORRECT_USER_PASSWORD"] * 3


def test_a_crowd_is_told_to_come_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticate, "_PATIENCE_SECONDS", 0.02)
    gate = Gate()
    authenticator = Authenticator(desk.directory, Throttle(desk.buckets, per_login=1), gate, hashes=1)
    _, threads = in_threads(authenticator, [("ana@example.com", "guess")])
    until(lambda: gate.running == 1)
    for _ in range(2):  # not counted: it was not looked at
        with pytest.raises(Refusal) as refused:
            authenticator.authenticate(a_call(login="bob@example.com", secret=PASSWORD))
        assert refused.value.code is Code.UNAVAILABLE
    gate.opened.set()
    threads[0].join(10)
    assert authenticator.authenticate(a_call(login="bob@example.com", secret=PASSWORD)) is BOB


def test_a_hash_that_fails_holds_up_nobody(desk: Desk) -> None:
    def fail(_: Callable[[], bool]) -> bool:
        raise MemoryError

    authenticator = Authenticator(desk.directory, Throttle(desk.buckets), fail, hashes=1)
    for _ in range(3):
        with pytest.raises(MemoryError):
            authenticator.authenticate(a_call(login="ana@example.com", secret=PASSWORD))


SESSIONS = [
    ("still there", {}, HOME, "tl_shop"),
    ("secret changed", {"secret": PASSWORD_HASH}, HOME, "INCORRECT_USER_PASSWORD"),
    ("login of another access now", {"id": 99}, HOME, "INCORRECT_USER_PASSWORD"),
    ("networks changed", {"networks": networks("10.0.0.0/8")}, HOME, "IP_NOT_ALLOWED"),
]


@pytest.mark.parametrize(("changes", "source", "expected"), [c[1:] for c in SESSIONS], ids=[c[0] for c in SESSIONS])
def test_a_session_sees_what_changed(desk: Desk, changes: dict, source: str, expected: str) -> None:
    desk.directory.accesses["tl_shop"] = replace(SHOP, **changes)
    assert desk(None, None, source, access=SHOP) == expected


def test_a_session_whose_access_is_gone(desk: Desk) -> None:
    del desk.directory.accesses["tl_shop"]
    assert desk(None, None, access=SHOP) == "INCORRECT_USER_PASSWORD"


def test_a_session_gets_the_access_as_it_is_now(desk: Desk) -> None:
    now = desk.directory.accesses["tl_shop"] = replace(SHOP, rate=5.0)
    assert desk.authenticator.authenticate(a_call(access=SHOP)) is now


class BlindDirectory(Known):
    def check_fresh(self) -> None:
        raise Blind("away")


def test_a_blind_directory_authenticates_nobody(desk: Desk) -> None:
    authenticator = Authenticator(BlindDirectory(SHOP), Throttle(desk.buckets))
    for call in (a_call(), a_call(access=SHOP)):
        with pytest.raises(Blind):
            authenticator.authenticate(call)


def test_nobodys_hash_costs_what_a_password_costs() -> None:
    assert extract_parameters(authenticate._NOBODY) == extract_parameters(PASSWORD_HASH)
