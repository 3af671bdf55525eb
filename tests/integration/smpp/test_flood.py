"""Refusals that come faster than they can be logged: customers are slowed down, and every one is in the log."""

import threading

from sqlalchemy import func, select

from gateway.smpp.codec import encode
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.pdu import SubmitSm, SubmitSmResp
from gateway.storage.schema import call_log
from tests.integration.smpp.conftest import Server
from tests.support.wait import until

MANY = 40_000  # twice what the writer keeps


def test_every_refusal_is_logged_however_many_come(server: Server) -> None:
    login = server.customers.access(operations='["sms.getdeliverystatus"]')
    submits = b"".join(encode(SubmitSm(sequence_number=number)) for number in range(1, MANY + 1))
    refused = func.coalesce(func.sum(call_log.c["count"]), 0)
    query = select(refused).where(call_log.c.access_id == login.access_id, call_log.c.method == "submit_sm")

    def logged() -> int:
        with server.customers.database.read() as connection:
            return int(connection.execute(query).scalar_one())

    with server.esme().bound(login.user, login.secret) as esme:
        sending = threading.Thread(target=esme.send_bytes, args=(submits,))
        sending.start()
        answers = [esme.expect(SubmitSmResp, 60).command_status for _ in range(MANY)]
        sending.join()
        assert set(answers) == {Status.ESME_RINVBNDSTS}
        until(lambda: logged() == MANY, 60, "every row")
        esme.unbind()
