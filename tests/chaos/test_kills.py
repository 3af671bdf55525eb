"""Acknowledged is stored, ends once and is paid once, whatever is killed and whenever."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, update

from gateway import clock
from gateway.messaging.states import State
from gateway.storage import passwords, versions
from gateway.storage.bootstrap import first_start
from gateway.storage.database import Database
from gateway.storage.queries import accesses, accounts, contacts, groups, ledger, tariff
from gateway.storage.schema import carrier, message
from tests.chaos.load import Outcome
from tests.chaos.plan import CREDIT, CUSTOMERS, GROUP, Customer, call
from tests.chaos.victims import VICTIMS, Scene, Victim
from tests.support import invariants, strace
from tests.support.gateway import Gateway
from tests.support.invariants import Acknowledged
from tests.support.wait import until

RATE = 1_150  # calls offered a second: some are refused, some send to a group; above 1,000 messages are acknowledged
LINE = 50  # bytes or so that an acknowledgement takes in the customers' file
WINDOW = 1_000
WORKERS = 2
RECOVERY = 60.0
FINAL = 120.0


class Load(subprocess.Popen[str]):
    """The customers' process."""

    def __init__(self, port: int, customers: dict[int, list[str]], folder: Path) -> None:
        self._file = folder / "acknowledged"
        self._file.touch()
        self._accounts = list(customers)
        self._errors = (folder / "load.err").open("w+")
        super().__init__(
            [sys.executable, "-m", "tests.chaos.load"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        plan = {"port": port, "rate": RATE, "accesses": list(customers.values()), "acknowledged": str(self._file)}
        assert self.stdin is not None
        self.stdin.write(json.dumps(plan) + "\n")
        self.stdin.flush()

    def size(self) -> int:
        """Grows with every acknowledgement."""
        assert self.poll() is None, self._errors.seek(0) or self._errors.read()
        return self._file.stat().st_size

    def finish(self) -> Outcome:
        """Send nothing new, wait for every answer."""
        printed, _ = self.communicate(timeout=120)
        self._errors.seek(0)
        assert self.returncode == 0, self._errors.read()
        return Outcome(**json.loads(printed))

    def acknowledged(self) -> list[Acknowledged]:
        """What they were told."""
        found = []
        for line in self._file.read_text().splitlines():
            n, credits_, batch, messages = json.loads(line)
            asked = call(n)
            price = CUSTOMERS[asked.customer].price * asked.segments
            assert int(Decimal(credits_) * CREDIT) == price * len(messages), line
            found += [
                Acknowledged(
                    int(number),
                    self._accounts[asked.customer],
                    destination,
                    asked.segments,
                    price,
                    int(batch) if batch else None,
                )
                for number, destination in messages
            ]
        return found


@contextmanager
def load(port: int, customers: dict[int, list[str]], folder: Path) -> Iterator[Load]:
    """Customers who send within the block."""
    started = Load(port, customers, folder)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database, for as long as it takes: a process that keeps SQLite's file open hides what a crash leaves."""
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


def test_kills(dialect: str, database_url: str, tmp_path: Path, request: pytest.FixtureRequest,
               capsys: pytest.CaptureFixture[str], record_property: Any) -> None:  # fmt: skip
    strace.require()
    kills = request.config.getoption("--kills")
    victims = _victims(dialect, kills - kills // 2 if dialect == "sqlite" else kills // 2)
    data = tmp_path / "data"
    variables = {"TRUNKLINE_DATABASE_URL": database_url, "TRUNKLINE_WEB_WORKERS": str(WORKERS)}
    customers, demo = _provision(database_url)
    with _running(data, demo, TRUNKLINE_LOG_LEVEL="warning", **variables) as gateway:
        scene = Scene(gateway, data / "simulator-simulator.journal")
        if dialect == "postgresql":
            scene.server = request.getfixturevalue("postgresql")
            scene.database = str(make_url(database_url).database)
        with load(gateway.port, customers, tmp_path) as sending:
            _flows(scene, sending)
            deaths = [_kill(scene, sending, victim) for victim in victims]
            _some_time(scene, sending)
            outcome = sending.finish()
            acknowledged = sending.acknowledged()
        _until_final(database_url)
        assert gateway.stop() == 0
        _let_time_pass(database_url)
        gateway.start()
        _until_final(database_url, unreported=True)
        assert gateway.stop() == 0

    assert not outcome.odd, outcome.odd[:5]
    assert not outcome.unanswered
    assert outcome.acknowledged == len(acknowledged)
    crashes = sum(victim.owner for victim in victims)
    with opened(database_url) as database:
        invariants.check_stored(database, acknowledged, customers)
        invariants.check_final(database)
        invariants.check_money(database)
        doubts = invariants.check_carrier(database, invariants.journal(scene.journal), crashes, WINDOW)
    assert doubts.taken or not crashes, "no crash came between the carrier's taking a message and its record"
    record_property("acknowledged_per_second", round(outcome.rate))
    with capsys.disabled():
        sys.stdout.write(_report(dialect, deaths, outcome, doubts))


def _victims(dialect: str, kills: int) -> list[Victim]:
    fitting = [victim for victim in VICTIMS if victim.of in ("", dialect)]
    return list(itertools.islice(itertools.cycle(fitting), kills))


@contextmanager
def _running(data: Path, demo: tuple[str, str], **variables: str) -> Iterator[Gateway]:
    """A gateway whose first start was made before."""
    started = Gateway(data, **variables)
    started.user, started.secret = demo
    try:
        started.start()
        yield started
    finally:
        started.end()


def _provision(url: str) -> tuple[dict[int, list[str]], tuple[str, str]]:
    """Make the customers, and have the carrier keep its journal; each account's access and group, and the demo's.

    Before the gateway starts: what a running one is told takes a moment to arrive.
    """
    now = clock.now()
    with opened(url) as database:
        made = first_start(database)
        assert made is not None
        assert made["demo"] is not None
        with database.transaction() as connection:
            found = dict(_customer(connection, customer, now) for customer in CUSTOMERS)
            options = json.dumps({"journal": "keep", "window": str(WINDOW)})
            connection.execute(update(carrier).values(options=options))
            versions.bump(connection)
    return found, (made["demo"]["user"], made["demo"]["secret"])


def _customer(connection: Connection, customer: Customer, now: int) -> tuple[int, list[str]]:
    account = accounts.create(connection, customer.email, now=now)
    ledger.grant(connection, account, customer.granted, "to send with", now)
    tariff.set_price(connection, account, "", customer.price)
    secret = passwords.new_secret()
    accesses.create(connection, account, "api", customer.email, passwords.hash_secret(secret), now=now)
    group = groups.create(connection, account, "everyone", "mobile", [], now)
    contacts.add_many(connection, account, group, [(number, {}) for number in GROUP], now)
    return account, [customer.email, secret, str(group)]


def _kill(scene: Scene, sending: Load, victim: Victim) -> str:
    """Kill it some time from now, and wait until all is well again; what that took."""
    _some_time(scene, sending)
    began = time.monotonic()
    victim.kill(scene)
    dead = time.monotonic()
    if victim.stopped:
        scene.gateway.start()
    _flows(scene, sending)
    return f"{victim.name} ({dead - began:.1f} + {time.monotonic() - dead:.1f} s)"


def _flows(scene: Scene, sending: Load) -> None:
    """Every process is there again, customers are answered, and the carrier is sent messages."""
    until(lambda: scene.gateway.complete(WORKERS), RECOVERY, "every process")
    told, taken = sending.size(), _size(scene.journal)
    until(lambda: sending.size() > told, RECOVERY, "acknowledgements")
    until(lambda: _size(scene.journal) > taken, RECOVERY, "messages at the carrier")


def _some_time(scene: Scene, sending: Load) -> None:
    """Until a random number of messages more is acknowledged."""
    enough = sending.size() + LINE * scene.chance.randint(RATE // 3, 2 * RATE)
    until(lambda: sending.size() >= enough, RECOVERY, "acknowledgements")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _until_final(url: str, *, unreported: bool = False) -> None:
    count = invariants.unsettled if unreported else invariants.unfinished
    with opened(url) as database:
        until(lambda: count(database) == 0, FINAL, "every message's final state")


def _let_time_pass(url: str) -> None:
    """Two days in which nothing is heard of the messages that have no receipt."""
    with opened(url) as database, database.transaction() as connection:
        connection.execute(
            update(message).where(message.c.state == State.SENT).values(expires_at=clock.now() - 2 * clock.DAY)
        )


def _report(dialect: str, deaths: list[str], outcome: Outcome, doubts: invariants.Doubts) -> str:
    return (
        f"\n{dialect}: {len(deaths)} kills (seconds until it was dead, and until all was well):"
        f" {', '.join(deaths)};"
        f" {outcome.acknowledged} messages acknowledged, {outcome.rate:.0f} a second in the {outcome.seconds:.0f} s"
        f" that it was up; {outcome.repeated} calls repeated; refused: {outcome.refused};"
        f" of segments in doubt {doubts.unanswered}, with the carrier {doubts.taken}, sent twice {doubts.twice}\n"
    )
