"""How long getdeliverystatus takes for 1,000 ids while millions of messages are stored.

The messages are not sent but written into the database of a stopped installation by one INSERT … SELECT per
million, over the accounts in turn and over the last 30 days, each delivered and with its segment, so that
table and indexes are as large and as mixed as after a month of real traffic. Then the gateway is started and
asked over HTTP like by any customer: 1,000 ids at random out of the account's own.
"""

import json
import random
import statistics
import time
from dataclasses import dataclass

from bench.databases import KINDS
from bench.gateway_run import Caller, GatewayFailed, running
from bench.load import DELIVERED
from bench.table import Figure, Section, Target
from bench.workspace import Installation, Workspace
from gateway.storage import ids, partitions
from gateway.storage.database import Database

ASKED = 1000
CALLS = 20
DAYS = 30
PIECE = 1_000_000
TARGET = Target(most=50)
_DAY = 86_400_000_000

_MESSAGES = """
INSERT INTO message (id, account_id, access_id, protocol, source, destination, text, encoding, segments, price,
    refunded, state, carrier_id, attempt, accepted_at, due_at, expires_at, sent_at, final_at)
WITH RECURSIVE piece(i) AS (SELECT CAST({first} AS bigint) UNION ALL SELECT i + 1 FROM piece WHERE i + 1 < {end})
SELECT {first_id} + i * {step}, {account} + i % {accounts}, {account} + i % {accounts}, 'http', 'Bench',
    CAST(34600000000 + i AS varchar), 'Your parcel arrives today between 10 and 12.', 'GSM7', 1, 1000000,
    0, {state}, {carrier}, 1, {since} + i * {pace}, {since} + i * {pace}, {since} + i * {pace} + 172800000000,
    {since} + i * {pace} + 20000, {since} + i * {pace} + 1020000
FROM piece
"""
_SEGMENTS = """
INSERT INTO segment (message_id, seq, attempt, carrier_id, carrier_ref, state, sent_at, final_at)
SELECT id, 1, 1, carrier_id, CAST(id AS varchar), state, sent_at, final_at FROM message
WHERE id >= {from_id} AND id < {to_id}
"""


@dataclass(frozen=True, slots=True)
class Built:
    """How the stored messages are numbered: the first id, and the distance of one account's."""

    first_id: int
    distance: int
    per_account: int

    def some(self, count: int, choose: random.Random) -> list[str]:
        """Give `count` different ids of the first account."""
        return [str(self.first_id + j * self.distance) for j in choose.sample(range(self.per_account), count)]


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Build, ask, and give the times in milliseconds."""
    rows = min(workspace.rows, PIECE) if workspace.quick else workspace.rows
    title = f"getdeliverystatus for {ASKED:,} ids, {rows:,} messages stored"
    section = Section("status", title, [KINDS[kind] for kind in kinds])
    times = {}
    for kind in kinds:
        with workspace.trial(kind) as installation:
            started = time.monotonic()
            built = build(installation, rows)
            installation.store.settle()
            seconds = time.monotonic() - started
            with running(installation.data, installation.store.url) as gateway:
                caller = Caller(gateway, installation.accesses[0])
                choose = random.Random(1)  # the same ids in every run
                times[kind] = [_ask(caller, built.some(ASKED, choose)) for _ in range(CALLS + 1)]
            section.notes.append(f"{KINDS[kind]}: built by SQL in {seconds:.0f} s.")
    every = [times[kind] for kind in kinds]

    def line(label: str, values: list[float], target: Target | None = None) -> None:
        targets = dict.fromkeys(range(len(kinds)), target) if target else {}
        section.figures.append(Figure(label, "ms", tuple(values), targets))

    line("first call after the start", [values[0] for values in every])
    line(f"median of {CALLS} more", [statistics.median(values[1:]) for values in every])
    line(f"longest of {CALLS} more", [max(values[1:]) for values in every], TARGET)
    if "postgresql" in kinds:
        section.notes.append("PostgreSQL: vacuumed and checkpointed after that, as autovacuum does in a month.")
    section.notes.append("Over HTTP on loopback, other ids in every call; the file cache is as building left it.")
    return section


def build(installation: Installation, rows: int) -> Built:
    """Write `rows` delivered messages of the last DAYS days into a stopped installation's database."""
    store = installation.store
    now = time.time_ns() // 1000
    since = now - DAYS * _DAY
    first_id = ids.first(since)
    step = (ids.first(now - _DAY // 24) - first_id) // rows
    found = [account for (account,) in store.rows("SELECT id FROM account ORDER BY id")]
    if found != list(range(found[0], found[0] + len(found))):
        raise GatewayFailed("the accounts are not numbered in one row: the SQL that builds messages needs that")
    _partitions(store.url or f"sqlite:///{installation.data}/trunkline.db", since)
    values = {
        "first_id": first_id,
        "step": step,
        "since": since,
        "pace": (DAYS * _DAY - _DAY // 24) // rows,
        "account": found[0],
        "accounts": len(found),
        "carrier": store.value("SELECT min(id) FROM carrier"),
        "state": DELIVERED,
    }
    for first in range(0, rows, PIECE):
        end = min(first + PIECE, rows)
        piece = values | {
            "first": first,
            "end": end,
            "from_id": first_id + first * step,
            "to_id": first_id + end * step,
        }
        store.execute(_MESSAGES.format(**piece), _SEGMENTS.format(**piece))
    return Built(first_id, step * len(found), rows // len(found))


def _partitions(url: str, since: int) -> None:
    """Make the partitions that a month of running would have made."""
    database = Database.open(url)
    try:
        with database.transaction() as connection:
            partitions.ensure(connection, since, DAYS)
    finally:
        database.close()


def _ask(caller: Caller, asked: list[str]) -> float:
    started = time.perf_counter()
    body = caller.raw("sms.getdeliverystatus", messages=",".join(asked))
    elapsed = (time.perf_counter() - started) * 1000
    rows = json.loads(body)["result"]
    if [row["messageid"] for row in rows] != asked or {row["deliverystatus"] for row in rows} != {"DELIVERED"}:
        raise GatewayFailed(f"the answer is not about the {len(asked)} messages asked for: {body[:200]!r}")
    return elapsed
