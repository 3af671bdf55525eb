"""Numbers for Prometheus. Every process counts in files of its own under the data folder; `/metrics` adds them up.

Before `start` nothing is counted, so that a command costs nothing. Labels come from the product's own words,
never from what a client sends.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

# Children of a metric that are remembered: more label values than this are a mistake, and go uncounted.
_MOST_LABELS = 5_000

_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_COMMIT = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class _Metrics:
    """The metrics of this process; their children by label values, so that counting is one look-up."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415 (after `start` has said where)

        self.calls = Counter("trunkline_calls", "Calls answered.", ("protocol", "method", "outcome"))
        self.messages = Counter("trunkline_messages", "Messages that came into a state.", ("state",))
        self.carrier = Counter("trunkline_carrier_answers", "Answers of carriers.", ("carrier", "outcome"))
        self.links = Gauge(
            "trunkline_carrier_links",
            "Links to a carrier that are bound.",
            ("carrier",),
            multiprocess_mode="mostrecent",
        )
        self.ready = Gauge(
            "trunkline_carrier_ready",
            "Whether a carrier takes messages (1) or not (0).",
            ("carrier",),
            multiprocess_mode="mostrecent",
        )
        self.deliveries = Counter(
            "trunkline_deliveries", "What became of deliveries to SMPP customers.", ("outcome",)
        )
        self.depth = Gauge(
            "trunkline_queue_depth", "Messages due and not yet sent.", ("carrier",), multiprocess_mode="mostrecent"
        )
        self.age = Gauge(
            "trunkline_queue_oldest_seconds",
            "How long the oldest due message has waited.",
            ("carrier",),
            multiprocess_mode="mostrecent",
        )
        self.sessions = Gauge(
            "trunkline_smpp_sessions", "Sessions of SMPP customers.", ("mode",), multiprocess_mode="mostrecent"
        )
        self.pdus = Counter("trunkline_smpp_pdus", "SMPP requests of customers and ours.", ("command", "status"))
        self.batch = Histogram("trunkline_commit_calls", "Calls written by one commit.", buckets=_BATCH)
        self.commit = Histogram("trunkline_commit_seconds", "Time of one commit.", buckets=_COMMIT)
        self.unlogged = Counter("trunkline_log_rows_refused", "Rows of the log of calls that the database refused.")
        self._children: dict[tuple[Any, ...], Any] = {}

    def child(self, metric: Any, *labels: str) -> Any:
        """The child with these label values, or None where there are too many already."""
        key = (metric, *labels)
        found = self._children.get(key)
        if found is None and len(self._children) < _MOST_LABELS:
            found = self._children[key] = metric.labels(*labels)
        return found


_metrics: _Metrics | None = None


def prepare(folder: Path) -> None:
    """Say where the numbers are kept, before anything loads Prometheus' client; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def start(folder: Path) -> None:
    """Begin to count in this process, after any fork."""
    global _metrics  # noqa: PLW0603 - the one set of this process
    if _metrics is None:
        prepare(folder)
        _metrics = _Metrics()


def call(protocol: str, method: str, outcome: str, n: int = 1) -> None:
    """`n` calls were answered; `method` is the operation's name or "unknown"."""
    if _metrics is not None and (child := _metrics.child(_metrics.calls, protocol, method, outcome)) is not None:
        child.inc(n)


def messages(state: str, n: int) -> None:
    """`n` messages came into a state."""
    if _metrics is not None and n and (child := _metrics.child(_metrics.messages, state)) is not None:
        child.inc(n)


def commit(rows: int, seconds: float) -> None:
    """The writer committed `rows` calls, which took so long."""
    if _metrics is not None:
        _metrics.batch.observe(rows)
        _metrics.commit.observe(seconds)


def log_row_refused() -> None:
    """The database refused a row of the log of calls."""
    if _metrics is not None:
        _metrics.unlogged.inc()


def queue(carrier: str, depth: int, oldest_seconds: float) -> None:
    """How many messages are due for a carrier, and how long the oldest has waited."""
    if _metrics is not None:
        for metric, value in ((_metrics.depth, depth), (_metrics.age, oldest_seconds)):
            if (child := _metrics.child(metric, carrier)) is not None:
                child.set(value)


def carrier(carrier: str, outcome: str, n: int) -> None:
    """A carrier gave `n` answers of this outcome."""
    if _metrics is not None and n and (child := _metrics.child(_metrics.carrier, carrier, outcome)) is not None:
        child.inc(n)


def sessions(mode: str, n: int) -> None:
    """How many SMPP sessions of this mode there are: transmitter, receiver, transceiver, or unbound."""
    if _metrics is not None and (child := _metrics.child(_metrics.sessions, mode)) is not None:
        child.set(n)


def pdus(command: str, status: str, n: int) -> None:
    """`n` SMPP requests of this command were answered with this status, in the standard's words."""
    if _metrics is not None and (child := _metrics.child(_metrics.pdus, command, status)) is not None:
        child.inc(n)


def links(carrier: str, bound: int) -> None:
    """How many links to a carrier are bound."""
    if _metrics is not None and (child := _metrics.child(_metrics.links, carrier)) is not None:
        child.set(bound)


def ready(carrier: str, value: bool) -> None:
    """Whether a carrier takes messages."""
    if _metrics is not None and (child := _metrics.child(_metrics.ready, carrier)) is not None:
        child.set(int(value))


def deliveries(outcome: str, n: int) -> None:
    """`n` receipts or messages for SMPP customers were acknowledged, put_off or dropped."""
    if _metrics is not None and n and (child := _metrics.child(_metrics.deliveries, outcome)) is not None:
        child.inc(n)


def exposition(carriers: Collection[str]) -> tuple[bytes, str]:
    """The numbers of all processes of this data folder in Prometheus' text format, and its content type.

    How a carrier is now is told of `carriers`, the names of those there are: the files keep what was last said of
    one that was removed.
    """
    from prometheus_client import generate_latest  # noqa: PLC0415
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4  # noqa: PLC0415

    return generate_latest(_Present(carriers)), CONTENT_TYPE_PLAIN_0_0_4


class _Present:
    """What the files hold, but for gauges of carriers that are there no more."""

    def __init__(self, carriers: Collection[str]) -> None:
        self._carriers = carriers

    def collect(self) -> Iterator[Any]:
        """As Prometheus' client asks for it."""
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        for metric in MultiProcessCollector(None).collect():  # type: ignore[no-untyped-call]
            if metric.type == "gauge":
                metric.samples = [one for one in metric.samples if self._is_present(one.labels.get("carrier"))]
            yield metric

    def _is_present(self, carrier: str | None) -> bool:
        return carrier is None or carrier in self._carriers
