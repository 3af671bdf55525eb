"""The front door of a running gateway: calls by plain HTTP as bytes, and the command line beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import orjson
from click.testing import CliRunner
from sqlalchemy import insert

from gateway import clock
from gateway.cli import cli
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.queries import accounts
from gateway.storage.schema import inbound
from tests.support.gateway import Gateway
from tests.support.rawhttp import Response, ask

HOME = "127.0.0.1"
PASSWORD = "a-passphrase-of-the-customer"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
BOUNDARY = "----tests0boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Login:
    """A way in: what is given as user and password."""

    user: str
    password: str


@dataclass(frozen=True)
class Customer:
    """An account with an access that may do everything."""

    email: str
    access: Login

    @property
    def own(self) -> Login:
        """The account's e-mail and password."""
        return Login(self.email, PASSWORD)


class Door:
    """A gateway that runs, and its database's options for commands."""

    def __init__(self, running: Gateway, *options: str) -> None:
        self.gateway = running
        self._options = ("--data", str(running.data), *options)
        self._url = options[-1] if options else f"sqlite:///{running.data / 'trunkline.db'}"

    def cli(self, *arguments: str, typed: str | None = None) -> Any:
        """What a command prints with --json; `typed` is its standard input."""
        result = CliRunner().invoke(cli, [*self._options, "--json", *arguments], input=typed, prog_name="trunkline")
        assert result.exit_code == 0, (arguments, result.stderr, result.exception)
        return orjson.loads(result.stdout)

    def customer(self, *options: str, access: Sequence[str] = ()) -> Customer:
        """A new account, made with `options`, and an access to it, made with those of `access`."""
        email = f"c{uuid4().hex[:10]}@example.com"
        self.cli("account", "create", email, "--password-file", "-", *options, typed=PASSWORD)
        return Customer(email, self.access(email, *access))

    def access(self, email: str, *options: str, name: str | None = None) -> Login:
        """A new access to an account."""
        made = self.cli("access", "create", email, name or f"a{uuid4().hex[:10]}", *options)
        return Login(made["user"], made["secret"])

    def receive(self, customer: Customer, text: str, source: str = "34600000001", to: str = "7373") -> None:
        """Have a message come in for the customer, as if a carrier had delivered it."""
        database = Database.open(self._url)
        with database.transaction() as connection:
            now = clock.now()
            account = accounts.find(connection, customer.email)
            assert account is not None
            (number,) = ids.take_block(connection, 1, now)
            row = {"id": number, "carrier_id": 1, "account_id": account["id"], "source": source, "destination": to}
            connection.execute(insert(inbound).values(**row, text=text, received_at=now))
        database.close()

    def send(
        self,
        query: str | bytes = b"",
        content: bytes | None = None,
        content_type: str | None = None,
        source: str = HOME,
        headers: Sequence[str] = (),
    ) -> Response:
        """One request as it stands, on a connection of its own; with `content` it is a POST."""
        raw = query.encode() if isinstance(query, str) else query
        lines = ["Host: gateway.example", "Connection: close", *headers]
        if content is not None:
            lines.append(f"Content-Length: {len(content)}")
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}")
        head = b"%s /api/http/%s HTTP/1.1\r\n%s\r\n\r\n" % (
            b"GET" if content is None else b"POST",
            b"?" + raw if raw else b"",
            "\r\n".join(lines).encode(),
        )
        return ask(self.gateway.port, head + (content or b""), source)

    def call(self, who: Login | None, operation: str, values: Values | None = None, **more: Any) -> Any:
        """Call an operation by POST, urlencoded; the JSON of the reply, whose status is 200 always."""
        return reply(self.send(b"", form(given(who, operation, values)), FORM, **more))

    def outcome(self, *arguments: Any, **more: Any) -> str:
        """SUCCESS or the error's code."""
        found = self.call(*arguments, **more)
        return str(found.get("error") or found["status"])

    def status(self, who: Login, *ids: str) -> list[str]:
        """The deliverystatus of messages."""
        rows = self.call(who, "sms.getdeliverystatus", {"messages": ",".join(ids)})["result"]
        return [row["deliverystatus"] for row in rows]


def given(who: Login | None, operation: str, values: Values | None = None) -> dict[str, Any]:
    """All parameters of a call."""
    class_name, _, method = operation.partition(".")
    found: dict[str, Any] = {"class": class_name, "method": method}
    if who is not None:
        found |= {"user": who.user, "password": who.password}
    return found | dict(values or {})


def form(values: Values) -> bytes:
    """Urlencoded."""
    return "&".join(f"{quote_plus(name)}={quote_plus(str(value))}" for name, value in values.items()).encode()


def part(name: str, value: bytes, more: str = "") -> bytes:
    """A part of a multipart body."""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def multipart(values: Values) -> bytes:
    """multipart/form-data."""
    parts = [part(name, str(value).encode()) for name, value in values.items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def reply(response: Response) -> Any:
    """The JSON of a reply to a call; fails on what is none."""
    assert response.status == 200, (response.status, response.body[:200])
    assert response.headers["content-type"] == "application/json"
    found = json.loads(response.body.decode("utf-8"))
    if found.get("status") == "SUCCESS":
        assert list(found) == ["status", "result"], found
    else:
        assert (found["status"], list(found)) == ("ERROR", ["status", "error", "detail"]), found
    return found


def error(code: str, detail: str) -> dict[str, str]:
    """The reply of a refused call."""
    return {"status": "ERROR", "error": code, "detail": detail}
