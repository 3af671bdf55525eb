"""Two SMPP servers on one database: one is killed, and its customers get their receipts at the other."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import clock
from gateway.frontends.smpp import deliveries, hand
from gateway.messaging.states import State
from gateway.smpp.pdu import DeliverSm, SubmitSm
from gateway.storage.queries.dispatch import finals
from gateway.storage.queries.dispatch.talk import Talk
from tests.support.dispatch import World
from tests.support.receivers import receipted
from tests.support.smpp import Esme
from tests.support.smpp_role import Customers, Login, Role, role
from tests.support.wait import until

TAKEN_OVER = 15 * clock.SECOND
"""Within this time after a kill the customers of the killed server are told by another."""


@dataclass
class Pair:
    """Two servers, and the database behind them."""

    roles: list[Role]
    customers: Customers
    world: World

    def told(self, login: Login, count: int) -> list[int]:
        """Messages of the customer that came to their end; their ids."""
        now = clock.now()
        made = self.world.messages(
            ["34600111222"] * count,
            account_id=login.account_id,
            access_id=login.access_id,
            protocol="smpp",
            state=int(State.DELIVERED),
            made_at=now,
            accepted_at=now,
        )
        notices = [finals.notice(login.account_id, login.access_id, number, State.DELIVERED, now) for number in made]
        self.world.run(lambda connection: finals.write_notices(Talk(connection), notices))
        return made

    def left(self) -> list[int]:
        return [number for number, _ in self.world.notices()]


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[Pair]:
    customers = Customers(database_url)
    folders = [tmp_path / "data", tmp_path / "other"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    if database_url.startswith("sqlite"):
        folders[1] = folders[0]
    with ExitStack() as ending:
        ending.callback(customers.close)
        roles = [ending.enter_context(role(folder, database_url)) for folder in folders]
        yield Pair(roles, customers, World(customers.database))
    shutil.rmtree(tmp_path, ignore_errors=True)


def received(esme: Esme, count: int, answer: bool = True) -> list[int]:
    """The messages of so many receipts."""
    numbers = []
    for _ in range(count):
        pdu = esme.expect(DeliverSm)
        numbers.append(receipted(pdu))
        if answer:
            esme.answer(pdu)
    return numbers


def test_a_claim_is_over_in_time_for_another_server() -> None:
    assert hand.LEASE + deliveries.LOOK_AGAIN * clock.SECOND < TAKEN_OVER


def test_another_server_delivers_what_a_killed_one_had_in_hand(pair: Pair) -> None:
    login = pair.customers.access()
    here, there = pair.roles
    made = pair.told(login, 40)
    with Esme(here.port).bound(login.user, login.secret) as esme:
        first = received(esme, 5)
        until(lambda: not set(first) & set(pair.left()), what="five rows less")
        # The rest is claimed, or sent and not answered.
        received(esme, 10, answer=False)
        here.stop(signal.SIGKILL)
    more = pair.told(login, 5)
    with Esme(there.port).bound(login.user, login.secret, "receiver") as esme:
        rest = received(esme, 40)
        assert sorted(rest) == sorted({*made, *more} - set(first))
        until(lambda: not pair.left(), what="the end of the outbox")


def test_customers_at_both_servers_get_each_receipt_once(pair: Pair) -> None:
    login = pair.customers.access()
    with ExitStack() as ending:
        esmes = [
            ending.enter_context(Esme(server.port).bound(login.user, login.secret, "receiver"))
            for server in pair.roles
        ]
        made = pair.told(login, 200)
        numbers: list[int] = []
        deadline = time.monotonic() + 30
        while len(numbers) < len(made) and time.monotonic() < deadline:
            for esme in esmes:
                try:
                    pdu = esme.receive(0.05)
                except TimeoutError:
                    continue
                assert isinstance(pdu, DeliverSm)
                numbers.append(receipted(pdu))
                esme.answer(pdu)
        assert sorted(numbers) == made
        until(lambda: not pair.left(), what="the end of the outbox")


def test_a_receipt_comes_after_the_answer_to_its_submit(pair: Pair) -> None:
    login = pair.customers.access()
    with Esme(pair.roles[0].port).bound(login.user, login.secret) as esme:
        submit = SubmitSm(source_addr="Shop", source_addr_ton=5, dest_addr_ton=1, dest_addr_npi=1,
                          destination_addr="34600111222", registered_delivery=1, short_message=b"hi")  # fmt: skip
        number = int(esme.request(submit).message_id)
        now = clock.now()
        pair.world.set(number, state=int(State.UNDELIVERED), final_at=now)
        notice = finals.notice(login.account_id, login.access_id, number, State.UNDELIVERED, now)
        pair.world.run(lambda connection: finals.write_notices(Talk(connection), [notice]))
        assert received(esme, 1) == [number]
