"""Failed logins: how many, by source and login, before no further guess is looked at.

Sources are subscribers: one IPv4 address, or the /64 of an IPv6 address (`ipfilter.subscriber`). The counts
are in the machine's shared buckets and never locked to one login alone, so that nobody can be locked out from
elsewhere.
"""

from gateway.pipeline.buckets import Buckets
from gateway.pipeline.ipfilter import subscriber

_MINUTE = 60_000_000_000


class Throttle:
    """Counts guesses before they are checked; a right one is given back.

    `per_login` and `per_source` are failures: as many may come at once, and as many in every minute after.
    """

    def __init__(self, buckets: Buckets, per_login: int = 10, per_source: int = 100) -> None:
        self._buckets = buckets
        self._per_login = per_login
        self._per_source = per_source

    def full(self, source_ip: str, login: str) -> bool:
        """Whether a guess of this source at this login would be one too many."""
        login_key, source_key = self._keys(source_ip, login)
        return self._buckets.full(login_key, _MINUTE // self._per_login, self._per_login) or self._buckets.full(
            source_key, _MINUTE // self._per_source, self._per_source
        )

    def take(self, source_ip: str, login: str) -> bool:
        """Count a guess; False, and nothing is counted, where it is one too many."""
        login_key, source_key = self._keys(source_ip, login)
        if not self._buckets.take(login_key, _MINUTE // self._per_login, self._per_login):
            return False
        if self._buckets.take(source_key, _MINUTE // self._per_source, self._per_source):
            return True
        self._buckets.give_back(login_key, _MINUTE // self._per_login)
        return False

    def give_back(self, source_ip: str, login: str) -> None:
        """The guess that was counted was right."""
        login_key, source_key = self._keys(source_ip, login)
        self._buckets.give_back(login_key, _MINUTE // self._per_login)
        self._buckets.give_back(source_key, _MINUTE // self._per_source)

    def _keys(self, source_ip: str, login: str) -> tuple[int, int]:
        source = subscriber(source_ip)
        return self._buckets.key("login", source, login), self._buckets.key("source", source)
