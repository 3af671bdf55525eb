"""Two machines on one PostgreSQL: when one goes, the other works its carriers and tells its customers."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import pytest
from sqlalchemy import select

from gateway import clock
from gateway.messaging.money import MICRO
from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import Tag
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import carriers, ledger, tariff
from gateway.storage.schema import carrier_lease
from tests.support import invariants, smpp_invariants
from tests.support.machines import Machine
from tests.support.smpp import Esme
from tests.support.smpp_invariants import Known
from tests.support.smpp_role import Customers, Login
from tests.support.smsc import Smsc, smsc
from tests.support.wait import until

PREFIXES = ("34601", "34602")
TAKEOVER = 15.0
"""Seconds within which the other machine works the carriers of the one that is gone: what is promised."""

WINDOW = 10
FINAL = 60.0


@pytest.fixture
def dialect() -> str:
    """Several machines share PostgreSQL."""
    return "postgresql"


@dataclass
class Customer:
    """Submits a window at a time and takes receipts, over whichever server it is bound to."""

    login: Login
    known: Known = field(default_factory=Known)
    _next: int = 0
    _esme: Esme | None = None

    def bind(self, machine: Machine) -> None:
        """Bind there, and leave the session it had without a word."""
        self.close()
        self._esme = Esme(machine.smpp.port).bound(self.login.user, self.login.secret)

    def close(self) -> None:
        if self._esme is not None:
            self._esme.close()

    def submit(self) -> list[str]:
        """Submit a window and do not wait; the destinations."""
        assert self._esme is not None
        numbers = [
            f"{PREFIXES[n % len(PREFIXES)]}{n // 9000:02d}{1000 + n % 9000}"
            for n in range(self._next, self._next + WINDOW)
        ]
        self._next += WINDOW
        # Of each it is known what became of it, or it is not known.
        self.known.unknown.update((self.login.account_id, number) for number in numbers)
        self._esme.send(
            *(
                pdu.SubmitSm(
                    source_addr="Shop",
                    source_addr_ton=5,
                    destination_addr=number,
                    dest_addr_ton=1,
                    registered_delivery=1,
                    short_message=b"hello",
                )
                for number in numbers
            )
        )
        return numbers

    def exchange(self) -> None:
        """Submit a window, and take answers and receipts until the last answer has come."""
        assert self._esme is not None
        numbers = self.submit()
        while numbers:
            one = self._esme.receive()
            if isinstance(one, pdu.SubmitSmResp):
                assert one.command_status == Status.ESME_ROK, one
                told = self.login.account_id, numbers.pop(0)
                self.known.acknowledged[int(one.message_id)] = told
                self.known.unknown.discard(told)
            else:
                self._take(one)

    def told(self) -> bool:
        """Take what comes until nothing more does; whether the receipts of all that was acknowledged have."""
        assert self._esme is not None
        with suppress(TimeoutError):
            while True:
                self._take(self._esme.receive(0.1))
        return {(self.login.account_id, number) for number in self.known.acknowledged} <= self.known.receipts.keys()

    def _take(self, one: pdu.Pdu) -> None:
        assert isinstance(one, pdu.DeliverSm) and self._esme is not None, one
        number = int(one.tlvs[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0"))
        self.known.receipts[self.login.account_id, number].append(one.tlvs[Tag.MESSAGE_STATE][0])
        self._esme.answer(one)


@dataclass
class Site:
    """Two machines, the carriers' SMSCs, and a customer."""

    machines: list[Machine]
    upstreams: dict[int, Smsc]
    customers: Customers
    customer: Customer

    def owners(self) -> list[int]:
        """The process ids of the carriers' owners."""
        query = select(carrier_lease.c.owner).where(carrier_lease.c.carrier_id.in_(self.upstreams))
        with self.customers.database.read() as connection:
            return [int(owner.split("-")[1]) for owner in connection.scalars(query) if owner]

    def owner(self) -> Machine:
        """The machine that works every carrier."""

        def found() -> Machine | None:
            owners = self.owners()
            fitting = [one for one in self.machines if owners == [one.dispatch] * len(self.upstreams)]
            return fitting[0] if fitting else None

        return until(found, 30, "one owner of all carriers")  # type: ignore[return-value]

    def flows(self, timeout: float) -> None:
        """The customer is answered, and every SMSC is sent something."""
        sizes = {one: one.size() for one in self.upstreams.values()}

        def all_grown() -> bool:
            self.customer.exchange()
            return all(one.size() > size for one, size in sizes.items())

        until(all_grown, timeout, "messages at every SMSC")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir(mode=0o700)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    given = ("--system-id", "us", "--password-file", str(secret), "--receipt-delay", "0.5", "--response", "1")
    customers = Customers(database_url)
    with smsc(tmp_path / "one", *given) as one, smsc(tmp_path / "two", *given) as two:
        upstreams = {_carrier(customers, first, PREFIXES[n], smsc): smsc for n, smsc in enumerate((one, two))}
        machines = [Machine(first, database_url), Machine(second, database_url, key=first / KEY_FILE)]
        login = customers.access(credits_=0)
        with customers.database.transaction() as connection:
            ledger.grant(connection, login.account_id, 1_000_000 * MICRO, "to send with", clock.now())
        customer = Customer(login)
        try:
            for machine in machines:
                machine.start()
            yield Site(machines, upstreams, customers, customer)
        finally:
            customer.close()
            for machine in machines:
                machine.end()
            customers.close()


def _carrier(customers: Customers, key: Path, prefix: str, smsc: Smsc) -> int:
    """A carrier for an SMSC, its secret sealed with the key that all machines have."""
    sealed = Sealer(key / KEY_FILE).seal(json.dumps({"password": "secret"}).encode())
    options = {"host": "127.0.0.1", "port": str(smsc.port), "system_id": "us", "reconnect": "0.1"}
    with customers.database.transaction() as connection:
        made = carriers.add(connection, smsc.name, "smpp", options, sealed, clock.now())
        tariff.add_route(connection, prefix, made, 0, 1)
    return made


@pytest.mark.parametrize("end", [pytest.param(SIGKILL, id="killed"), pytest.param(SIGSTOP, id="frozen")])
def test_takeover(site: Site, end: Signals) -> None:
    """Of killed processes it is seen that they are gone; a frozen machine is as one that nobody reaches."""
    gone = site.owner()
    (other,) = (machine for machine in site.machines if machine is not gone)
    customer, database = site.customer, site.customers.database
    customer.bind(gone)
    site.flows(FINAL)
    for _ in range(10):
        customer.exchange()
    customer.submit()
    gone.signal(end)

    customer.bind(other)
    site.flows(TAKEOVER)
    assert site.owner() is other
    until(customer.told, FINAL, "the receipts of what was acknowledged, at the other server")
    if end == SIGSTOP:
        gone.signal(SIGCONT)
        until(
            lambda: gone.errors.count("lease lost") == len(site.upstreams), FINAL, "its notice that it has no lease"
        )
        site.flows(FINAL)
        assert site.owner() is other

    until(lambda: not smpp_invariants.waiting(database, {}), FINAL, "every message's final state")
    until(lambda: customer.told() and smpp_invariants.untold(database) == 0, FINAL, "every receipt")
    customer.close()
    assert other.stop() == [0, 0]
    if end == SIGSTOP:
        assert gone.stop() == [0, 0]
    smpp_invariants.check_stored(database, customer.known, [customer.login.account_id])
    smpp_invariants.check_final(database, {}, ())
    invariants.check_money(database)
    for carrier_id, upstream in site.upstreams.items():
        smpp_invariants.check_carrier(database, carrier_id, upstream.taken(), (), "resend")
    smpp_invariants.check_receipts(database, customer.known)
