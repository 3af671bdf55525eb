"""How deliveries end: counted for the metrics; where customers do not acknowledge, told in the log now and then."""

from collections import Counter

from gateway import logs, metrics

REPORT = 5.0
"""Seconds between two reports in the log."""

_MOST_LINES = 20


class Tally:
    """See the module."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._failures: Counter[tuple[int, str, str]] = Counter()
        self._reported_at = float("-inf")

    def count(self, outcome: str) -> None:
        """A row came to this."""
        self._outcomes[outcome] += 1

    def failed(self, access_id: int, outcome: str, why: str) -> None:
        """A row of the access came to this outcome, for this reason, and was not acknowledged."""
        self._outcomes[outcome] += 1
        self._failures[access_id, outcome, why] += 1

    def publish(self, now: float) -> None:
        """Hand the numbers on; `now` in seconds."""
        for outcome, n in self._outcomes.items():
            metrics.deliveries(outcome, n)
        self._outcomes.clear()
        if self._failures and now - self._reported_at >= REPORT:
            self._reported_at = now
            for (access_id, outcome, why), n in self._failures.most_common(_MOST_LINES):
                logs.warning("deliveries not acknowledged", access=access_id, outcome=outcome, why=why, deliveries=n)
            self._failures.clear()
