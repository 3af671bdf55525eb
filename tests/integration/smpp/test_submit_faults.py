"""The database goes away under customers who submit: each is answered, and what is answered is true."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.pdu import CancelSm, QuerySm, SubmitSm, SubmitSmResp
from gateway.storage.database import Database
from tests.support.invariants import Acknowledged, check_money, check_stored
from tests.support.proxy import Cut, Proxy, proxied
from tests.support.submitters import CREDIT, SENT, Desk, Submitter, desk
from tests.support.wait import until


@pytest.fixture
def dialect() -> str:
    """What can go away."""
    return "postgresql"


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    with proxied(database_url) as proxy:
        yield proxy


@pytest.fixture
def behind(proxy: Proxy, tmp_path: Path) -> Iterator[Desk]:
    """A server whose database can be cut off."""
    with desk(proxy.url, tmp_path) as open_:
        yield open_


def at_once(customer: Submitter, count: int) -> list[SubmitSmResp]:
    customer.esme.send(*(SubmitSm(**SENT) for _ in range(count)))
    return [customer.esme.expect(SubmitSmResp) for _ in range(count)]


def taken(customer: Submitter, answers: list[SubmitSmResp]) -> list[Acknowledged]:
    return [
        Acknowledged(int(one.message_id), customer.account_id, "34600000001", 1, CREDIT)
        for one in answers
        if one.command_status == Status.ESME_ROK
    ]


@pytest.mark.parametrize("cut", ["before", "during", "after"])
def test_a_commit_whose_answer_is_lost_is_made_once(database: Database, behind: Desk, proxy: Proxy, cut: Cut) -> None:
    customer = behind.customer()
    proxy.cut = cut
    answers = at_once(customer, 60)
    # Another transaction of the process may have been the one that was cut.
    assert proxy.cuts == 1
    told = taken(customer, answers)
    assert len(told) == 60
    check_stored(database, told, [customer.account_id])
    check_money(database)
    customer.esme.close()


def test_while_it_is_away_every_request_is_refused_for_now(database: Database, behind: Desk, proxy: Proxy) -> None:
    customer = behind.customer()
    before = at_once(customer, 10)
    message_id = before[0].message_id
    proxy.leave()
    away = at_once(customer, 30)
    assert {one.command_status for one in away} == {Status.ESME_RSYSERR}
    assert customer.ask(QuerySm(message_id=message_id)).command_status == Status.ESME_RSYSERR
    assert customer.ask(CancelSm(message_id=message_id)).command_status == Status.ESME_RSYSERR
    proxy.come_back()
    after: list[SubmitSmResp] = []

    def served() -> bool:
        after.append(customer.submit())
        return bool(after[-1].command_status == Status.ESME_ROK)

    until(served, 30, "a submit that is taken")
    check_stored(database, taken(customer, before + away + after), [customer.account_id])
    check_money(database)
    customer.refused_as("submit_sm", "UNAVAILABLE")
    customer.esme.close()
