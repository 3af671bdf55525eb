"""What seldom happens to a server, brought about from within its process."""

import asyncio
import os
import resource
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from gateway.frontends.smpp import binding
from gateway.hosting import listen
from gateway.hosting.smpp import Doors, Process
from gateway.settings import Settings
from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus as Status
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import AsyncHost
from gateway.storage.schema import smpp_bind
from gateway.storage.writer import Writer
from tests.support.dispatch import until
from tests.support.postgresql import Server
from tests.support.smpp import Esme
from tests.support.smpp_role import Customers

PASSWORD = "seven77"
SLOW = passwords.hash_password(PASSWORD)


class Inside:
    """A server in this process's event loop."""

    def __init__(self, process: Process, host: AsyncHost, port: int, customers: Customers) -> None:
        self.process = process
        self.host = host
        self.port = port
        self.customers = customers

    @property
    def server(self) -> Any:
        return self.process._server

    async def call(self, work: Callable[[], Any]) -> Any:
        """Run a blocking client beside the loop."""
        return await asyncio.wait_for(asyncio.to_thread(work), 60)

    async def bind(self, user: str, password: str) -> int:
        """What a bind is answered."""

        def work() -> int:
            with Esme(self.port) as esme:
                return int(esme.bind(user, password).command_status)

        return int(await self.call(work))

    def sessions(self) -> int:
        """How many sessions the database knows."""
        with self.customers.database.read() as connection:
            return len(connection.execute(select(smpp_bind)).all())


@asynccontextmanager
async def inside(folder: Path, url: str) -> AsyncIterator[Inside]:
    """A server that serves within the block."""
    database, customers = Database.open(url), Customers(url)
    host = AsyncHost(Writer(database), database.dialect)
    listener = listen.bind("127.0.0.1:0", "smpp", frozenset())
    port = listener.getsockname()[1]
    stop = asyncio.Event()
    process = Process(Settings(data=folder, database_url=url), database, host, Doors(listener))
    serving = asyncio.ensure_future(process.serve(stop))
    try:
        yield Inside(process, host, port, customers)
    finally:
        stop.set()
        with suppress(Unavailable):
            await asyncio.wait_for(serving, 30)
        await host.close()
        customers.close()
        database.close()


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated database of the test's own."""
    (tmp_path / "trunkline.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'trunkline.db'}"


def test_who_goes_while_his_password_is_looked_at_leaves_no_session(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access(stored=SLOW, secret=PASSWORD)

            def work() -> None:
                with Esme(one.port) as esme:
                    esme.send(pdu.BindTransceiver(system_id=login.user, password=PASSWORD))

            await one.call(work)
            await until(lambda: len(one.customers.log(access_id=login.access_id)) == 2)
            assert [row["method"] for row in one.customers.log()] == ["bind_transceiver", "unbind"]
            await until(lambda: one.sessions() == 0)
            assert one.server.sessions == []

    asyncio.run(run())


def test_access_that_is_revoked_while_it_binds_does_not_stay(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access()
            noted = one.server.binder._noted

            async def revoked_meanwhile(*args: Any) -> None:
                await one.call(lambda: one.customers.revoke(login))
                await one.server.refresh()
                await noted(*args)

            monkeypatch.setattr(one.server.binder, "_noted", revoked_meanwhile)

            def work() -> None:
                with Esme(one.port) as esme:
                    esme.bound(login.user, login.secret, "receiver")
                    esme.answer(esme.expect(pdu.Unbind))
                    esme.wait_closed()

            await one.call(work)
            await until(lambda: one.sessions() == 0)

    asyncio.run(run())


def test_sessions_that_were_taken_for_gone_count_again(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access(bind_limit=1)
            esme = await one.call(lambda: Esme(one.port).bound(login.user, login.secret))
            one.customers.change(delete(smpp_bind))
            assert one.sessions() == 0
            # As after a minute without the database, in which another machine tidied up.
            one.server._beaten_at -= 60
            await until(lambda: one.sessions() == 1)
            assert await one.bind(login.user, login.secret) == Status.ESME_RALYBND
            await one.call(esme.unbind)
            await until(lambda: one.sessions() == 0)

    asyncio.run(run())


def test_too_many_who_wait_to_be_looked_at(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            slow = one.customers.access(stored=SLOW, secret=PASSWORD)
            fast = one.customers.access()
            monkeypatch.setattr(binding, "_WAITING", 0)
            # They do not count as guesses, or the eleventh would be throttled.
            for _ in range(12):
                assert await one.bind(slow.user, PASSWORD) == Status.ESME_RSYSERR
            assert await one.bind(fast.user, fast.secret) == Status.ESME_ROK
            monkeypatch.undo()
            assert await one.bind(slow.user, PASSWORD) == Status.ESME_ROK

    asyncio.run(run())


def test_nothing_can_be_written(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access()
            assert await one.bind(login.user, login.secret) == Status.ESME_ROK
            await one.host.close()
            assert await one.bind(login.user, login.secret) == Status.ESME_RSYSERR
            assert one.server.sessions == []

    asyncio.run(run())


def test_failure_that_nobody_thought_of(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access()

            def broken(*_: object) -> None:
                raise ZeroDivisionError

            monkeypatch.setattr(one.server.binder, "_noted", broken)
            assert await one.bind(login.user, login.secret) == Status.ESME_RSYSERR
            await until(lambda: len(one.customers.log(outcome="INTERNAL_ERROR")) == 1)
            monkeypatch.undo()
            monkeypatch.setattr(one.server.submits, "handle", broken)

            def work() -> None:
                with Esme(one.port) as esme:
                    esme.bound(login.user, login.secret)
                    esme.send(pdu.SubmitSm(destination_addr="34600000001"))
                    esme.answer(esme.expect(pdu.Unbind))
                    esme.wait_closed()

            await one.call(work)
            monkeypatch.undo()
            assert await one.bind(login.user, login.secret) == Status.ESME_ROK

    asyncio.run(run())


def test_part_of_the_server_that_ends_ends_the_process(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access()
            assert await one.bind(login.user, login.secret) == Status.ESME_ROK

            async def broken() -> None:
                raise ZeroDivisionError

            one.server.register._write = broken

            def work() -> None:
                with Esme(one.port) as esme:
                    esme.send(pdu.BindReceiver(system_id=login.user, password=login.secret))
                    esme.wait_closed()

            await one.call(work)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())


def test_system_without_descriptors(url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with inside(tmp_path, url) as one:
            login = one.customers.access()
            assert await one.bind(login.user, login.secret) == Status.ESME_ROK
            with socket.socket() as client, no_descriptors():
                client.connect(("127.0.0.1", one.port))
                said = ""
                async with asyncio.timeout(20):
                    while "smpp connections cannot be accepted now" not in said:
                        await asyncio.sleep(0.01)
                        said += capfd.readouterr().err
            assert await one.bind(login.user, login.secret) == Status.ESME_ROK

    asyncio.run(run())


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Not one more file can be opened within the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 64, hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Away:
    """A database of which nothing can be read; `asked` says of each try whether it held up the event loop."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def read(self) -> Any:
        self.asked.append(threading.current_thread() is threading.main_thread())
        raise Unavailable("The database is away.")


def test_a_server_that_is_away_holds_nobody_up_and_who_tried_is_logged(
    postgresql: Server, postgresql_template: str, tmp_path: Path
) -> None:
    async def run(url: str) -> None:
        async with inside(tmp_path, url) as one:
            login, away = one.customers.access(), Away()
            one.process._services.directory._database = away  # type: ignore[assignment]
            assert await one.bind(login.user, login.secret) == Status.ESME_RSYSERR
            assert away.asked
            assert not any(away.asked)
            await until(lambda: len(one.customers.log(method="bind_transceiver", outcome="UNAVAILABLE")) == 1)

    with postgresql.database(postgresql_template) as name:
        asyncio.run(run(postgresql.url(name)))
