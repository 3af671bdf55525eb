"""Between customers bound by SMPP and SMSCs that misbehave nothing is lost, doubled or untold, whatever breaks."""

import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, update

from gateway import clock
from gateway.messaging.states import State
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import accesses, accounts, carriers, ledger, tariff
from gateway.storage.schema import message
from tests.chaos.smpp_load import Outcome
from tests.chaos.smpp_plan import CUSTOMERS, Customer, prefix, submit
from tests.chaos.smpp_scene import FAULTS, FLOWS, START, Fault, Scene, Upstream
from tests.support import invariants, smpp_invariants, strace
from tests.support.gateway import Gateway
from tests.support.relay import relay
from tests.support.smpp_invariants import Known
from tests.support.smsc import smsc
from tests.support.wait import until

RATE = 300  # submits offered a second
WORKERS = 2
FINAL = 120.0
SECRET = "secret"

VARIABLES = {
    "TRUNKLINE_WEB_WORKERS": str(WORKERS),
    "TRUNKLINE_LOG_LEVEL": "warning",
    "TRUNKLINE_SMPP_RESPONSE": "3",
    "TRUNKLINE_SMPP_ENQUIRE_LINK": "1",
}
CARRIER = {
    "system_id": "us",
    "links": "2",
    "window": "20",
    "response_timeout": "2",
    "enquire_link": "1",
    "connect_timeout": "2",
    "reconnect": "0.1",
    "reconnect_most": "0.5",
}
# How each SMSC misbehaves, what becomes of messages in doubt, and how it writes ids and receipts.
MISBEHAVIOURS = (
    ("drops", ("--drop-after", "150")),
    ("confuses", ("--wrong-sequence", "25")),
    ("dawdles", ("--latency", "0.2")),
    ("throttles", ("--throughput", "35")),
)
POLICIES = {"sqlite": ("resend", "hold", "resend", "resend"), "postgresql": ("hold", "resend", "resend", "resend")}
STYLES = {
    "sqlite": (
        "hex-decimal,unmarked,seconds",
        "decimal-hex,tlv-only",
        "padded,text-only,century,words",
        "upper,payload,progress",
    ),
    "postgresql": ("stripped,data-sm,short", "lower,lower-text", "uuid", "hex"),
}


class Load(subprocess.Popen[str]):
    """The customers' process."""

    def __init__(self, ports: Sequence[int], logins: dict[int, list[str]], folder: Path) -> None:
        self._file = folder / "known"
        self._file.touch()
        self._accounts = list(logins)
        self._errors = (folder / "load.err").open("w+")
        super().__init__(
            [sys.executable, "-m", "tests.chaos.smpp_load"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._say(
            {
                "ports": ports,
                "rate": RATE,
                "carriers": len(MISBEHAVIOURS),
                "logins": list(logins.values()),
                "file": str(self._file),
            }
        )

    def count(self, what: str = "acknowledged") -> int:
        """How many lines of a kind customers have written."""
        assert self.poll() is None, self._errors.seek(0) or self._errors.read()
        return self._file.read_text().count(f'["{what}"')

    def quiet(self) -> Outcome:
        """Have them submit no more and wait for every answer; they still take receipts."""
        self._say("quiet")
        assert self.stdout is not None
        said = self.stdout.readline()
        assert said, self._errors.seek(0) or self._errors.read()
        return Outcome(**json.loads(said))

    def finish(self) -> None:
        """End it."""
        self.communicate(timeout=30)
        self._errors.seek(0)
        assert self.returncode == 0, self._errors.read()

    def known(self) -> Known:
        """What they were told."""
        known = Known()
        for line in self._file.read_text().splitlines():
            match json.loads(line):
                case ["acknowledged", n, message_id]:
                    asked = submit(n, len(MISBEHAVIOURS))
                    known.acknowledged[int(message_id)] = self._accounts[asked.customer], asked.destination
                case ["unknown", n]:
                    asked = submit(n, len(MISBEHAVIOURS))
                    known.unknown.add((self._accounts[asked.customer], asked.destination))
                case ["receipt", customer, message_id, state]:
                    known.receipts[self._accounts[customer], int(message_id)].append(state)
        return known

    def _say(self, what: Any) -> None:
        assert self.stdin is not None
        self.stdin.write(json.dumps(what) + "\n")
        self.stdin.flush()


def test_smpp_faults(dialect: str, database_url: str, tmp_path: Path, request: pytest.FixtureRequest,
                     capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    strace.require()
    faults = _faults(dialect, request.config.getoption("--kills") // 2)
    seed = request.config.getoption("--seed") or random.randrange(1 << 32)
    with capsys.disabled():
        sys.stdout.write(f"\n{dialect}: seed {seed}\n")
    data = tmp_path / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        upstreams = [stack.enter_context(_smsc(tmp_path, dialect, number)) for number in range(len(MISBEHAVIOURS))]
        logins = _provision(database_url, data, upstreams)
        gateway = Gateway(data, TRUNKLINE_DATABASE_URL=database_url, **VARIABLES)
        gateway.user = "nobody"
        stack.callback(gateway.end)
        gateway.start()
        doors = [stack.enter_context(relay(gateway.smpp_port)) for _ in range(2)]
        sending = Load([door.port for door in doors], logins, tmp_path)
        stack.callback(sending.kill)
        scene = Scene(gateway, upstreams, doors, random.Random(seed), lambda: _some_time(scene, sending))
        if dialect == "postgresql":
            scene.server = request.getfixturevalue("postgresql")
            assert make_url(database_url).database
        _flows(scene, sending)
        endured = [_endure(scene, sending, fault) for fault in faults]
        _some_time(scene, sending)
        outcome = sending.quiet()
        with _opened(database_url) as database:
            deaths = {upstream.carrier_id: upstream.died_at for upstream in upstreams}
            _until_none(lambda: smpp_invariants.waiting(database, deaths), "on their way")
            held = smpp_invariants.in_doubt(database)
            _let_time_pass(database)
            until(lambda: invariants.unsettled(database) == 0, FINAL, "the end of what is not reported")
            until(lambda: smpp_invariants.untold(database) == 0, FINAL, "every receipt's acknowledgement")
        sending.finish()
        assert gateway.stop() == 0
        known = sending.known()

    assert not outcome.odd, outcome.odd[:5]
    assert outcome.acknowledged == len(known.acknowledged)
    with _opened(database_url) as database:
        smpp_invariants.check_stored(database, known, logins)
        given_up = smpp_invariants.check_final(database, deaths, held)
        invariants.check_money(database)
        twice = [
            smpp_invariants.check_carrier(database, one.carrier_id, one.smsc.taken(), held, one.policy)
            for one in upstreams
        ]
        smpp_invariants.check_receipts(database, known)
    assert held and sum(twice), "nothing was in doubt: no message was held, or no SMSC was sent one twice"
    with capsys.disabled():
        sys.stdout.write(_report(dialect, endured, outcome, f"{given_up} given up, {len(held)} held, {twice} twice"))


def _faults(dialect: str, count: int) -> list[Fault]:
    fitting = [fault for fault in FAULTS if fault.of in ("", dialect)]
    return list(itertools.islice(itertools.cycle(fitting), START[dialect], START[dialect] + count))


@contextmanager
def _smsc(folder: Path, dialect: str, number: int) -> Iterator[Upstream]:
    """An SMSC with a relay before it, of which no carrier is made yet."""
    name, options = MISBEHAVIOURS[number]
    secret = folder / "secret"
    secret.write_text(SECRET)
    given = ("--system-id", "us", "--password-file", str(secret), "--receipts", STYLES[dialect][number])
    with (
        smsc(folder / name, *options, *given, "--receipt-delay", "0.3", "--response", "3") as running,
        relay(running.port) as links,
    ):
        yield Upstream(0, running, links, POLICIES[dialect][number])


def _provision(url: str, data: Path, upstreams: Sequence[Upstream]) -> dict[int, list[str]]:
    """Make the carriers, their routes, and the customers; each account's login and secret."""
    now = clock.now()
    sealed = Sealer(data / KEY_FILE).seal(json.dumps({"password": SECRET}).encode())
    with _opened(url) as database, database.transaction() as connection:
        for number, one in enumerate(upstreams):
            options = CARRIER | {"host": "127.0.0.1", "port": str(one.relay.port), "doubt": one.policy}
            one.carrier_id = carriers.add(connection, one.smsc.name, "smpp", options, sealed, now)
            tariff.add_route(connection, prefix(number), one.carrier_id, 0, 1)
        return dict(_customer(connection, customer, now) for customer in CUSTOMERS)


def _customer(connection: Connection, customer: Customer, now: int) -> tuple[int, list[str]]:
    account = accounts.create(connection, customer.email, now=now)
    ledger.grant(connection, account, customer.granted, "to send with", now)
    tariff.set_price(connection, account, "", customer.price)
    secret = passwords.new_secret()
    accesses.create(connection, account, "api", customer.email, passwords.hash_secret(secret), now=now)
    return account, [customer.email, secret]


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    """The database, for as long as it takes: a process that keeps SQLite's file open hides what a crash leaves."""
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


def _endure(scene: Scene, sending: Load, fault: Fault) -> str:
    """Bring a fault some time from now, and wait until all is well again; what that took."""
    scene.some_time()
    began = time.monotonic()
    fault.bring(scene)
    over = time.monotonic()
    if fault.stopped:
        scene.gateway.start()
    _flows(scene, sending)
    return f"{fault.name} ({over - began:.1f} + {time.monotonic() - over:.1f} s)"


def _flows(scene: Scene, sending: Load) -> None:
    """Every role is there again, customers are answered and told, and every SMSC is sent messages."""
    until(lambda: scene.gateway.complete(WORKERS), FLOWS, "every process")
    for what in ("acknowledged", "receipt"):
        told = sending.count(what)
        until(lambda what=what, told=told: sending.count(what) > told, FLOWS, what)  # type: ignore[misc]
    for one in scene.upstreams:
        taken = one.smsc.size()
        until(lambda one=one, taken=taken: one.smsc.size() > taken, FLOWS, one.smsc.name)  # type: ignore[misc]


def _some_time(scene: Scene, sending: Load) -> None:
    """Until a random number of submits more is acknowledged."""
    enough = sending.count() + scene.chance.randint(RATE // 5, RATE)
    until(lambda: sending.count() >= enough, FLOWS, "acknowledgements")


def _until_none(find: Callable[[], list[Any]], what: str) -> None:
    """Wait until nothing is found; fail with some of what is."""
    left: list[Any] = []

    def none() -> bool:
        left[:] = find()
        return not left

    try:
        until(none, FINAL)
    except AssertionError:
        raise AssertionError(f"{len(left)} still {what} after {FINAL:g} s, such as {left[:5]}") from None


def _let_time_pass(database: Database) -> None:
    """Two days in which nothing is heard of the messages that have no receipt, or are held."""
    past = clock.now() - 2 * clock.DAY
    with database.transaction() as connection:
        waits = message.c.state.in_((State.SENT, State.HELD))
        connection.execute(update(message).where(waits).values(expires_at=past))


def _report(dialect: str, endured: list[str], outcome: Outcome, ends: str) -> str:
    return (
        f"{dialect}: {len(endured)} faults (seconds until it was over, and until all was well): {', '.join(endured)};"
        f" {outcome.acknowledged} submits acknowledged, {outcome.unknown} unanswered, refused: {outcome.refused};"
        f" {outcome.receipts} receipts in the end, {outcome.repeated} repeated; {outcome.binds} binds; {ends}\n"
    )
