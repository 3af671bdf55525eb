"""Refusals of strangers, summed up, so that nobody without an account can fill the log."""

from dataclasses import dataclass, field

from gateway.clock import MINUTE, SECOND
from gateway.pipeline.ipfilter import subscriber
from gateway.storage.submission import LOG_COLUMNS, Row

LOGGED_EACH = 10
EVERYBODY = "*"
"""The `source_ip` of a row that sums up several sources."""

_SOURCES = 1024
_SUMS = 16

_AT = LOG_COLUMNS.index("at")
_ACCOUNT = LOG_COLUMNS.index("account_id")
_ACCESS = LOG_COLUMNS.index("access_id")
_LOGIN = LOG_COLUMNS.index("login")
_SOURCE_IP = LOG_COLUMNS.index("source_ip")
_PARAMETERS = LOG_COLUMNS.index("parameters")
_OUTCOME = LOG_COLUMNS.index("outcome")
_COUNT = LOG_COLUMNS.index("count")

_Key = tuple[str, int | None]


@dataclass(slots=True)
class _Source:
    """What one source did in its minute. `sums` holds the latest row and how many it stands for."""

    until: int
    seen: int = 0
    sums: dict[_Key, tuple[Row, int]] = field(default_factory=dict)


class Strangers:
    """Gives the rows to write for the refusals of those who did not prove who they are.

    In a source's minute the first ten are rows of their own; of the rest the latest is written when the minute
    is over, once for each outcome and access that was tried, with `count` for how many it stands. More than
    1,024 sources at a time count as one more, whose sums name no address. Times are UTC microseconds.
    """

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._swept = 0

    def add(self, row: Row) -> list[Row]:
        """Take a refusal's row and give those to be written now, of minutes that are over too."""
        now: int = row[_AT]
        ready = self.flush(now) if not 0 <= now - self._swept < SECOND else []
        name = subscriber(row[_SOURCE_IP])
        if name not in self._sources and len(self._sources) >= _SOURCES:
            name = EVERYBODY
        source = self._sources.setdefault(name, _Source(now + MINUTE))
        source.seen += 1
        if source.seen <= LOGGED_EACH:
            ready.append(row)
        else:
            _sum_up(source, _nameless(row) if name == EVERYBODY else row)
        return ready

    def flush(self, now: int | None = None) -> list[Row]:
        """Give the sums of all minutes that are over at `now`; None, at the end, those of all.

        To be called once a second or so, since the last strangers of a minute may be the last for long.
        """
        self._swept = now or 0
        over = [name for name, source in self._sources.items() if now is None or not _lasts(source, now)]
        return [
            (*latest[:_COUNT], count, *latest[_COUNT + 1 :])
            for name in over
            for latest, count in self._sources.pop(name).sums.values()
        ]


def _lasts(source: _Source, now: int) -> bool:
    # A clock that was set back must not keep a source's minute open for hours.
    return source.until - MINUTE <= now < source.until


def _sum_up(source: _Source, row: Row) -> None:
    key: _Key = (row[_OUTCOME], row[_ACCESS])
    if key not in source.sums and len(source.sums) >= _SUMS:
        key, row = (row[_OUTCOME], None), _without(row, {_ACCOUNT: None, _ACCESS: None, _LOGIN: None})
    source.sums[key] = (row, source.sums.get(key, (row, 0))[1] + row[_COUNT])


def _nameless(row: Row) -> Row:
    return _without(row, {_SOURCE_IP: EVERYBODY, _PARAMETERS: "{}"})


def _without(row: Row, changes: dict[int, str | None]) -> Row:
    return tuple(changes.get(place, value) for place, value in enumerate(row))
