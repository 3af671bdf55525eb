"""The writer's hosts: asyncio in the test's process, gevent in a patched process of its own, several at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from gateway.operations.errors import Code, Refusal
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import AsyncHost
from gateway.storage.schema import call_log, commit_token, idempotency, message
from gateway.storage.submission import COMMITTED, NO_CREDITS
from gateway.storage.turns import Turn
from gateway.storage.writer import Writer
from tests.support.books import a_log_row, a_send, balance_of, check_books, open_account, rows_of
from tests.support.processes import scripts
from tests.support.wait import until


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def hosted(database: Database, scenario: Callable[[AsyncHost], Awaitable[Any]]) -> Any:
    """What the scenario gives on an asyncio host, which is closed after it."""

    async def main() -> Any:
        host = AsyncHost(Writer(database), database.dialect)
        try:
            return await asyncio.wait_for(scenario(host), 60)
        finally:
            await asyncio.wait_for(host.close(), 20)

    return asyncio.run(main())


def test_asyncio_callers_share_transactions(database: Database) -> None:
    ana, bob = open_account(database, 150), open_account(database, 1_000)

    async def scenario(host: AsyncHost) -> list[Any]:
        return await asyncio.gather(*(host.submit(a_send((ana, bob)[number % 2], 2)) for number in range(200)))

    verdicts = hosted(database, scenario)
    assert (verdicts.count(COMMITTED), verdicts.count(NO_CREDITS)) == (175, 25)
    assert (balance_of(database, ana), balance_of(database, bob)) == (0, 800)
    assert count(database, commit_token) < 20
    check_books(database)


def test_asyncio_change_and_refusal(database: Database) -> None:
    async def scenario(host: AsyncHost) -> None:
        assert await host.transact(lambda connection: connection.scalar(select(1))) == 1

        def refuse(_: Connection) -> None:
            raise Refusal(Code.INCORRECT_TYPE, "type: no.")

        with pytest.raises(Refusal):
            await host.transact(refuse)

    hosted(database, scenario)


def test_asyncio_log_rows_reach_the_disk_by_themselves(database: Database) -> None:
    async def scenario(host: AsyncHost) -> None:
        host.post(a_log_row(None))
        await asyncio.to_thread(until, lambda: count(database, call_log) == 1)

    hosted(database, scenario)


def test_asyncio_close_commits_what_waits_and_refuses_the_rest(database: Database) -> None:
    account = open_account(database, 100)

    async def main() -> list[Any]:
        host = AsyncHost(Writer(database), database.dialect)
        waiting = [asyncio.create_task(host.submit(a_send(account))) for _ in range(30)]
        host.post(a_log_row(None))
        await asyncio.sleep(0)
        await asyncio.wait_for(host.close(), 20)
        with pytest.raises(Unavailable):
            await host.submit(a_send(account))
        with pytest.raises(Unavailable):
            host.post(a_log_row(None))
        return await asyncio.gather(*waiting)

    assert asyncio.run(main()) == [COMMITTED] * 30
    assert count(database, call_log) == 31


def test_asyncio_caller_that_gave_up_harms_nobody(database: Database) -> None:
    account = open_account(database, 100)

    async def scenario(host: AsyncHost) -> None:
        calls = [asyncio.create_task(host.submit(a_send(account))) for _ in range(10)]
        await asyncio.sleep(0)
        calls[3].cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert answers.count(COMMITTED) == 9
        assert await host.submit(a_send(account)) is COMMITTED

    hosted(database, scenario)
    assert balance_of(database, account) == 89


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_asyncio_loop_goes_on_while_another_process_has_the_turn(database: Database) -> None:
    account = open_account(database, 100)
    assert database.directory is not None
    other = Turn(database.directory / "trunkline.db")
    other.take()

    async def scenario(host: AsyncHost) -> Any:
        call = asyncio.create_task(host.submit(a_send(account)))
        done, _ = await asyncio.wait({call}, timeout=0.3)
        assert not done
        other.release()
        return await call

    assert hosted(database, scenario) is COMMITTED
    other.close()


# What every process of the tests below does: the host is made by the first lines.
GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent, json, sys
from gateway.storage.database import Database
from gateway.storage.hosts import GeventHost
from gateway.storage.writer import Writer
from tests.support.books import *
import tests.support.books as books, itertools

url, arguments, number = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
books._numbers = itertools.count(number * 10_000 + 1_000)
database = Database.open(url)
host = GeventHost(Writer(database), database.dialect)

def many(makes):
    return [job.get() for job in [gevent.spawn(host.submit, make) for make in makes]]
"""
DIRECT = """
import json, sys
from gateway.storage.database import Database
from gateway.storage.hosts import DirectHost
from gateway.storage.writer import Writer
from tests.support.books import *
import tests.support.books as books, itertools

url, arguments, number = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
books._numbers = itertools.count(number * 10_000 + 1_000)
database = Database.open(url)
host = DirectHost(Writer(database))

def many(makes):
    return [host.submit(make) for make in makes]
"""
READY = """
print("ready", flush=True)
sys.stdin.readline()
"""
SPEND = """
verdicts = many([a_send(arguments["accounts"][n % len(arguments["accounts"])], 3) for n in range(arguments["calls"])])
print(json.dumps([type(verdict).__name__ for verdict in verdicts]), flush=True)
host.close()
"""
CLAIM = """
for key in arguments["keys"]:
    verdicts = many([a_send(arguments["account"], 1, key, arguments["fingerprint"]) for _ in range(3)])
    print(json.dumps([getattr(verdict, "answer", type(verdict).__name__) for verdict in verdicts]), flush=True)
host.close()
"""
WHOLE = """
from gevent import sleep
from gateway.operations.errors import Code, Refusal
from gateway.storage.errors import Unavailable
from sqlalchemy import select

account = arguments["account"]
ticks = []
def tick():
    while True:
        ticks.append(1)
        sleep(0.001)
ticker = gevent.spawn(tick)
verdicts = many([a_send(account, 2) for _ in range(100)])
ticker.kill()
def refuse(connection):
    raise Refusal(Code.INCORRECT_TYPE, "type: no.")
try:
    host.transact(refuse)
except Refusal as refusal:
    refused = refusal.detail
value = host.transact(lambda connection: connection.scalar(select(41)) + 1, lambda made: a_log_row(account))
host.post(a_log_row(None))
waiting = [gevent.spawn(host.submit, a_send(account, 0)) for _ in range(5)]
sleep(0)
host.close()
late = []
calls = (lambda: host.submit(a_send(account, 0)), lambda: host.transact(refuse), lambda: host.post(a_log_row(None)))
for call in calls:
    try:
        call()
    except Unavailable:
        late.append("refused")
print(json.dumps({
    "committed": [type(verdict).__name__ for verdict in verdicts].count("Committed"),
    "no_credits": [type(verdict).__name__ for verdict in verdicts].count("NoCredits"),
    "refused": refused, "value": value, "waiting": [type(job.get()).__name__ for job in waiting], "late": late,
    "ticked": len(ticks) > 1,
}), flush=True)
database.close()
"""


def test_gevent_host_from_first_call_to_close(database: Database, database_url: str) -> None:
    account = open_account(database, 150)
    with scripts(GEVENT + WHOLE, [database_url, json.dumps({"account": account})]) as (process,):
        said = json.loads(process.line())
        assert process.end() == (0, "")
    assert said == {
        "committed": 75,
        "no_credits": 25,
        "refused": "type: no.",
        "value": 42,
        "waiting": ["Committed"] * 5,
        "late": ["refused"] * 3,
        "ticked": True,
    }
    assert count(database, call_log) == 107
    assert count(database, commit_token) < 20
    check_books(database)


@pytest.mark.parametrize("host", [pytest.param(GEVENT, id="gevent"), pytest.param(DIRECT, id="direct")])
def test_processes_that_debit_the_same_accounts_lose_and_double_nothing(
    database: Database, database_url: str, host: str
) -> None:
    accounts = [open_account(database, 500), open_account(database, 1_000)]
    arguments = json.dumps({"accounts": accounts, "calls": 300})
    with scripts(host + READY + SPEND, [database_url, arguments], count=2) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        verdicts = [verdict for process in processes for verdict in json.loads(process.line())]
        for process in processes:
            assert process.end() == (0, "")
    assert sorted(set(verdicts)) == ["Committed", "NoCredits"]
    # 300 sends want each account: 166 are paid by 500, 300 by 1,000.
    assert verdicts.count("Committed") == 466
    assert count(database, message) == 466
    assert [balance_of(database, account) for account in accounts] == [2, 100]
    check_books(database)


def test_two_processes_that_claim_the_same_keys_at_once_send_once(database: Database, database_url: str) -> None:
    account, keys = open_account(database, 1_000), [f"k{number}" for number in range(20)]
    arguments = json.dumps({"account": account, "keys": keys, "fingerprint": "same"})
    with scripts(GEVENT + READY + CLAIM, [database_url, arguments], count=2) as processes:
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.say("go")
        said = [[json.loads(process.line()) for _ in keys] for process in processes]
        for process in processes:
            assert process.end() == (0, "")
    answers = {row["key"]: row["answer"] for row in rows_of(database, idempotency)}
    for key, *calls in zip(keys, *said, strict=True):
        verdicts = [verdict for process in calls for verdict in process]
        assert sorted(verdicts) == sorted(["Committed", *[answers[key]] * 5]), key
    assert count(database, message) == len(keys)
    assert balance_of(database, account) == 980
    check_books(database)
