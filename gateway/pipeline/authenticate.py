"""Who is calling: the login, and the secret that proves it.

A stranger learns nothing here. An unknown login and a wrong secret are the same answer after the same work;
from a network that an access does not allow its secret is not looked at, nor by whom has guessed too often.
Nobody is locked out by a stranger either: a secret that was verified a moment ago, or that is of the kind
that cannot be guessed, is accepted however many wrong ones came from beside it.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, TypeVar

from gateway.operations.errors import Code, Refusal
from gateway.pipeline import ipfilter
from gateway.pipeline.call import Call
from gateway.pipeline.throttle import Throttle
from gateway.storage import passwords
from gateway.storage.records import Access

T = TypeVar("T")

REMEMBERED_SECONDS = 60
_REMEMBERED = 10_000
_PATIENCE_SECONDS = 10.0

# Verifying against this takes as long as against a password's hash, and never succeeds.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=1$" + "AAAAAAAAAAAAAAAAAAAAAA" + "$" + "A" * 43


class Knows(Protocol):
    """The part of `storage.directory.Directory` that is needed here."""

    def access(self, login: str) -> Access | None:
        """The access of this login."""
        ...

    def check_fresh(self) -> None:
        """Raise `storage.errors.Blind` where what is known is too old to be trusted."""
        ...


def direct(work: Callable[[], T]) -> T:
    """Run slow work where it is asked for: for hosts that have threads or nothing else to do."""
    return work()


def credentials(call: Call) -> tuple[str, str]:
    """Give the login and the secret of a call.

    Raises `Refusal`: what the front end found wrong with them; MISSING_USER or MISSING_PASSWORD for one that was
    not given or is empty.
    """
    if call.unproven is not None:
        raise call.unproven
    if not call.login:
        raise missing(call, Code.MISSING_USER, "Give the access's login as user.")
    if not call.secret:
        raise missing(call, Code.MISSING_PASSWORD, "Give the access's secret as password.")
    return call.login, call.secret


def missing(call: Call, code: Code, text: str) -> Refusal:
    """The refusal of a call without its user, class and the like; with why, where it was in a body not read."""
    if call.unreadable and call.problem is not None:
        text = f"{text} {call.problem.detail}"
    return Refusal(code, text)


class Authenticator:
    """Tells whose access a call is made with.

    `offload` runs slow work elsewhere and waits for it (a pool of native threads in the web server), `hashes`
    bounds how many argon2 verifications run at once in this process, each 64 MiB; `clock` is in seconds.
    """

    def __init__(
        self,
        directory: Knows,
        throttle: Throttle,
        offload: Callable[[Callable[[], bool]], bool] = direct,
        clock: Callable[[], float] = time.monotonic,
        hashes: int = 2,
    ) -> None:
        self._directory = directory
        self._throttle = throttle
        self._offload = offload
        self._hashing = threading.BoundedSemaphore(hashes)
        self._verified = Verified(clock)
        self._flights: dict[bytes, _Flight] = {}

    def authenticate(self, call: Call) -> Access:
        """Give the access of the call, as it is now.

        Raises `Refusal`, in this order: MISSING_USER, MISSING_PASSWORD, TOO_MANY_REQUESTS (failed logins),
        IP_NOT_ALLOWED, INCORRECT_USER_PASSWORD; UNAVAILABLE where too many passwords wait to be checked; and
        `storage.errors.Blind`. A call with an `access` was authenticated before (a session): then only whether
        that access is still there, with the same secret, and allowed from this address. One with a `proof` is
        answered by that; proofs cannot be guessed, so nothing is counted.
        """
        begun = self.begin(call)
        if isinstance(begun, Access):
            return begun
        try:
            right = self.verify(begun)
        except Refusal:
            self.give_up(begun)
            raise
        return self.finish(begun, right)

    def begin(self, call: Call) -> "Access | Guess":
        """Everything but the slow hashing: the access, or the guess that is left to `verify`. Raises as the whole.

        For hosts that wait in their own way: `authenticate` is this, `verify` in whatever thread, then `finish`,
        or `give_up` where `verify` raised.
        """
        if call.access is not None:
            return self.again(call.access, call.source_ip)
        self._directory.check_fresh()
        if call.proof is not None:
            return call.proof.access(call.source_ip)
        login, secret = credentials(call)
        access = self._directory.access(login)
        # However a known login was spelt, its guesses are counted together.
        subject = login.strip().casefold()[:254] if access is None else f"#{access.id}"
        if access is not None:
            if not ipfilter.allowed(access, call.source_ip):
                raise self._foreign(call.source_ip, subject)
            if self._known(access, secret):
                return access
        if not self._throttle.take(call.source_ip, subject):
            raise _too_many()
        return Guess(access, secret, call.source_ip, subject)

    def verify(self, guess: "Guess") -> bool:
        """Whether the secret is right; takes a fifth of a second of CPU. Raises UNAVAILABLE where too many wait."""
        return self._verify(_slow_hash(guess.access), guess.secret)

    def finish(self, guess: "Guess", right: bool) -> Access:
        """Give the access of a right guess; raises INCORRECT_USER_PASSWORD for another."""
        if guess.access is None or not right:
            raise Refusal(Code.INCORRECT_USER_PASSWORD, "The user or the password is wrong.")
        self.give_up(guess)
        return guess.access

    def give_up(self, guess: "Guess") -> None:
        """Count a guess no longer: it was right, or could not be looked at."""
        self._throttle.give_back(guess.source_ip, guess.subject)

    def _foreign(self, source_ip: str, subject: str) -> Refusal:
        return _too_many() if self._throttle.full(source_ip, subject) else ipfilter.refusal(source_ip)

    def again(self, access: Access, source_ip: str) -> Access:
        """Give the access of a session as it is now, provided that it is still there, with the same secret.

        Raises `Refusal` (INCORRECT_USER_PASSWORD, IP_NOT_ALLOWED) and `storage.errors.Blind`.
        """
        self._directory.check_fresh()
        current = self._directory.access(access.login)
        if current is None or current.id != access.id or current.secret != access.secret:
            raise Refusal(Code.INCORRECT_USER_PASSWORD, "This access was changed: log in again.")
        ipfilter.check(current, source_ip)
        return current

    def _known(self, access: Access, secret: str) -> bool:
        """Whether the secret is right as far as that can be told without hashing slowly."""
        if passwords.is_slow(access.secret):
            return self._verified.knows(access.secret, secret)
        return passwords.verify(access.secret, secret)

    def _verify(self, stored: str, secret: str) -> bool:
        """Verify by argon2; who asks the same at the same time shares the answer."""
        if self._verified.knows(stored, secret):
            return True
        digest = self._verified.digest(stored, secret)
        flight = self._flights.get(digest)
        if flight is None:
            return self._fly(digest, stored, secret)
        flight.landed.wait(2 * _PATIENCE_SECONDS)
        if flight.right is None:
            raise _busy()
        return flight.right

    def _fly(self, digest: bytes, stored: str, secret: str) -> bool:
        flight = self._flights[digest] = _Flight()
        try:
            if not self._hashing.acquire(timeout=_PATIENCE_SECONDS):
                raise _busy()
            try:
                flight.right = self._offload(lambda: passwords.verify(stored, secret))
            finally:
                self._hashing.release()
            if flight.right:
                self._verified.add(digest)
            return flight.right
        finally:
            self._flights.pop(digest, None)
            flight.landed.set()


@dataclass(frozen=True, slots=True)
class Guess:
    """A login and a secret to be verified by slow hashing; counted as a failed login until it proves right.

    `access` is None where nobody has that login: the work is the same.
    """

    access: Access | None
    secret: str = field(repr=False)
    source_ip: str
    subject: str


class _Flight:
    def __init__(self) -> None:
        self.landed = threading.Event()
        self.right: bool | None = None


class Verified:
    """Remembers which secrets were verified, for a minute since they were last used, as keyed digests.

    The key is this process's own and nowhere else (RFC 7693), and the digest holds the stored hash too: a secret
    that was changed is forgotten by that alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[bytes, float] = OrderedDict()

    def digest(self, stored: str, secret: str) -> bytes:
        """Give the digest that stands for this secret of this stored hash."""
        data = f"{stored}\0{secret}".encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=32, key=self._key).digest()

    def add(self, digest: bytes) -> None:
        """It was right; the one unused for longest is forgotten when there are 10,000."""
        self._used.pop(digest, None)
        self._used[digest] = self._clock()
        while len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)

    def knows(self, stored: str, secret: str) -> bool:
        """Whether this secret was verified or used within the last minute."""
        digest = self.digest(stored, secret)
        used = self._used.get(digest)
        if used is None:
            return False
        if self._clock() - used > REMEMBERED_SECONDS:
            self._used.pop(digest, None)
            return False
        self.add(digest)
        return True


def _too_many() -> Refusal:
    return Refusal(Code.TOO_MANY_REQUESTS, "Too many failed logins from this address: wait a minute.")


def _busy() -> Refusal:
    return Refusal(Code.UNAVAILABLE, "Too many logins are being checked: call again in some seconds.")


def _slow_hash(access: Access | None) -> str:
    """A failure takes one argon2 verification, be it of a wrong secret of either kind or of nobody's."""
    return access.secret if access is not None and passwords.is_slow(access.secret) else _NOBODY
