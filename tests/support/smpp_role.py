"""The SMPP server as a process of its own: `trunkline smpp` on a database that a test has set up."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from gateway import clock
from gateway.smpp.pdu import EnquireLink
from gateway.storage import passwords, versions
from gateway.storage.database import Database
from gateway.storage.queries import accesses, accounts
from gateway.storage.schema import balance, call_log
from tests.support.ports import free_port
from tests.support.smpp import Esme
from tests.support.wait import until

START = 30.0
STOP = 30.0


class Role:
    """A running SMPP server; `tls_port` is 0 without TLS. `errors` is what it logged."""

    def __init__(self, data: Path, url: str, **variables: str) -> None:
        self.port = free_port()
        self.tls_port = free_port() if "TRUNKLINE_SMPP_CERTIFICATE" in variables else 0
        self._log = data / f"smpp-{self.port}.err"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        settings = {
            "TRUNKLINE_DATABASE_URL": url,
            "TRUNKLINE_SMPP": f"127.0.0.1:{self.port}",
            "TRUNKLINE_SMPP_TLS": f"127.0.0.1:{self.tls_port}",
            **variables,
        }
        (data / "run").mkdir(exist_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "smpp", "--data", str(data)],
                env=clean | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def errors(self) -> str:
        return self._log.read_text()

    def wait_ready(self) -> None:
        """Wait until it answers."""
        until(self._answers, START, "the SMPP server")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP)

    def end(self) -> None:
        """End it, by force where it does not end by itself."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def alive(self) -> bool:
        """Whether it runs, and answers."""
        return self.process.poll() is None and self._answers()

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"trunkline smpp ended with {self.process.returncode}: {self.errors}"
        try:
            with Esme(self.port) as esme:
                return bool(esme.request(EnquireLink()).command_status == 0)
        except ConnectionRefusedError:
            return False


@contextmanager
def role(data: Path, url: str, **variables: str) -> Iterator[Role]:
    """An SMPP server that runs within the block, with `variables` (TRUNKLINE_*)."""
    running = Role(data, url, **variables)
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()


@dataclass
class Login:
    """An access that a test made."""

    user: str
    secret: str
    account_id: int
    access_id: int


class Customers:
    """Accounts and accesses in a database, made without the command line: many, fast."""

    def __init__(self, url: str) -> None:
        self.database = Database.open(url, read_pool=1)

    def close(self) -> None:
        self.database.close()

    def access(self, secret: str = "", credits_: int = 1_000_000_000, stored: str = "", **restrictions: Any) -> Login:
        """A new account with an access; `stored` is the hash of the secret where it is not the fast one."""
        now = clock.now()
        login, secret = f"c{uuid4().hex[:12]}", secret or passwords.new_secret()
        with self.database.transaction() as connection:
            account_id = accounts.create(connection, f"{login}@example.com", now=now)
            connection.execute(update(balance).where(balance.c.account_id == account_id).values(credits=credits_))
            access_id = accesses.create(
                connection,
                account_id,
                "main",
                login,
                stored or passwords.hash_secret(secret),
                now=now,
                **restrictions,
            )
        return Login(login, secret, account_id, access_id)

    def change(self, statement: Any) -> None:
        """Run a statement that changes the configuration."""
        with self.database.transaction() as connection:
            connection.execute(statement)
            versions.bump(connection)

    def revoke(self, login: Login) -> None:
        with self.database.transaction() as connection:
            accesses.revoke(connection, login.account_id, login.access_id, clock.now())

    def log(self, **where: Any) -> list[Any]:
        """Rows of the log of calls with these values, oldest first."""
        query = select(call_log).order_by(call_log.c.id)
        for name, value in where.items():
            query = query.where(call_log.c[name] == value)
        with self.database.read() as connection:
            return list(connection.execute(query).mappings())

    def logged(self, count: int = 1, **where: Any) -> list[Any]:
        """The same, once there are as many: rows of calls that write nothing follow within a second."""
        return until(
            lambda: rows if len(rows := self.log(**where)) >= count else None, 10, f"{count} rows of {where}"
        )
