"""What was answered is stored and paid for, to the last credit, however many submit at once and however it ends."""

import signal
import threading
from pathlib import Path

from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.pdu import SubmitSm, SubmitSmResp
from gateway.storage.database import Database
from tests.support.invariants import Acknowledged, check_money, check_stored
from tests.support.smpp import Esme, Gone
from tests.support.smpp_role import role
from tests.support.submitters import CREDIT, SENT, Desk, Submitter, desk


def submits(count: int, **fields: object) -> list[SubmitSm]:
    return [SubmitSm(**SENT | fields) for _ in range(count)]


def acknowledged(customer: Submitter, answers: list[SubmitSmResp]) -> list[Acknowledged]:
    return [
        Acknowledged(int(one.message_id), customer.account_id, "34600000001", 1, CREDIT)
        for one in answers
        if one.command_status == Status.ESME_ROK
    ]


def test_credits_for_some_of_what_comes_at_once(submitting: Desk) -> None:
    customer = submitting.customer(120 * CREDIT)
    first = customer.esme.send(*submits(300)) - 299
    answers = {one.sequence_number: one for one in (customer.esme.expect(SubmitSmResp) for _ in range(300))}
    statuses = [answers[first + place].command_status for place in range(300)]
    assert statuses == [Status.ESME_ROK] * 120 + [Status.ESME_RSUBMITFAIL] * 180
    ids = [int(answers[first + place].message_id) for place in range(120)]
    assert ids == sorted(ids)
    assert customer.balance == 0
    check_stored(submitting.database, acknowledged(customer, list(answers.values())), [customer.account_id])
    check_money(submitting.database)
    assert len(customer.logged("submit_sm", 300)) == 300
    customer.esme.close()


def test_what_is_dear_is_refused_and_what_is_cheap_after_it_taken(submitting: Desk) -> None:
    customer = submitting.customer(3 * CREDIT)
    sizes = [161, 161, 1, 1]  # two segments, two, one, one
    first = customer.esme.send(*(SubmitSm(**SENT | {"short_message": b"x" * size}) for size in sizes)) - 3
    answers = {one.sequence_number: one.command_status for one in (customer.esme.receive() for _ in sizes)}
    refused = Status.ESME_RSUBMITFAIL
    assert [answers[first + place] for place in range(4)] == [Status.ESME_ROK, refused, Status.ESME_ROK, refused]
    assert customer.balance == 0
    customer.esme.close()


def test_two_processes_and_their_sessions_share_one_balance(submitting: Desk, tmp_path: Path) -> None:
    customer = submitting.customer(250 * CREDIT)
    answers: list[list[SubmitSmResp]] = []
    # Another process on the same database; a machine's processes have their folder in common.
    with role(tmp_path, submitting.database.url) as second:
        sessions = [customer.another(), Esme(second.port).bound(customer.login, customer.secret)]

        def run(esme: Esme) -> None:
            esme.send(*submits(200))
            answers.append([esme.expect(SubmitSmResp) for _ in range(200)])

        threads = [threading.Thread(target=run, args=(esme,)) for esme in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for esme in sessions:
            esme.close()
    told = [one for each in answers for one in each]
    assert len(told) == 400
    assert sum(one.command_status == Status.ESME_ROK for one in told) == 250
    assert customer.balance == 0
    check_stored(submitting.database, acknowledged(customer, told), [customer.account_id])
    check_money(submitting.database)
    customer.esme.close()


def answered_until_closed(esme: Esme) -> list[SubmitSmResp]:
    """The submit_sm_resp that come until the server closes."""
    came: list[SubmitSmResp] = []
    while True:
        try:
            one = esme.receive()
        except Gone:
            return came
        if isinstance(one, SubmitSmResp):
            came.append(one)
        elif not one.command_id & 0x80000000:
            esme.answer(one)  # the server unbinds


def test_a_stop_finishes_what_was_read(database_url: str, database: Database, tmp_path: Path) -> None:
    with desk(database_url, tmp_path) as open_:
        customer = open_.customer(10_000 * CREDIT)
        customer.esme.send(*submits(3_000))
        customer.esme.expect(SubmitSmResp)
        open_.role.process.send_signal(signal.SIGTERM)
        told = [*answered_until_closed(customer.esme)]
        assert open_.role.process.wait(30) == 0
        stored = [row["id"] for row in customer.messages()]
        assert len(stored) == 1 + len([one for one in told if one.command_status == Status.ESME_ROK])
        check_money(database)


def test_a_kill_loses_nothing_that_was_answered(database_url: str, database: Database, tmp_path: Path) -> None:
    with desk(database_url, tmp_path) as open_:
        customer = open_.customer(10_000 * CREDIT)
        customer.esme.send(*submits(2_000))
        first = [customer.esme.expect(SubmitSmResp) for _ in range(200)]
        open_.role.process.kill()
        told = first + answered_until_closed(customer.esme)
        open_.role.process.wait(30)
        stored = {row["id"] for row in customer.messages()}
        assert {one.message_id for one in acknowledged(customer, told)} <= stored
        assert customer.balance == (10_000 - len(stored)) * CREDIT
        check_money(database)
