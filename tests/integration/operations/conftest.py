"""Runs operations of the catalogue on a real database, without the pipeline around them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from gateway.messaging.routing import PriceTable, RouteTable
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.context import Answer, Change, Context, Tariff
from gateway.operations.errors import Code, Refusal
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.queries import accounts
from gateway.storage.records import Access, Account

NOW = 1_800_000_000_000_000


class NoIds:
    """These operations number no messages."""

    def take(self, n: int) -> range:
        raise AssertionError(f"{n} ids were asked for")


@dataclass(slots=True)
class Customer:
    """An account of the database, and the calls that it makes."""

    database: Database
    account: Account

    def call(self, name: str, /, **parameters: str) -> Any:
        """The result, or the `Refusal` that the call is answered with."""
        class_name, method = name.split(".")
        operation = CATALOGUE[class_name, method]
        try:
            given = {key: value for key, value in parameters.items() if value}
            outcome = operation.run(self._context(), operation.parameters.model_validate(given))
            if isinstance(outcome, Change):
                with self.database.transaction() as connection:
                    result = outcome.work(connection)
            else:
                assert isinstance(outcome, Answer)
                result = outcome.result
        except ValidationError as error:
            return _refusal(error)
        except Refusal as refusal:
            return refusal
        TypeAdapter(operation.result).validate_python(result, strict=True)
        return result

    def answer(self, name: str, /, **parameters: str) -> Any:
        """The result of a call that is to succeed."""
        result = self.call(name, **parameters)
        assert not isinstance(result, Refusal), result
        return result

    def refusal(self, name: str, /, **parameters: str) -> tuple[str, str]:
        """The code and detail of a call that is to fail."""
        result = self.call(name, **parameters)
        assert isinstance(result, Refusal), result
        return result.code.value, result.detail

    def read(self) -> AbstractContextManager[Connection]:
        return self.database.read()

    def _context(self) -> Context:
        access = Access(id=1, account=self.account, name="main", login=self.account.email, secret="")
        tariff = Tariff(RouteTable([]), PriceTable([]))
        return Context(self.account, access, "http", NOW, self.database.read, tariff, NoIds(), Settings())


def _refusal(error: ValidationError) -> Refusal:
    """As the pipeline's binding answers."""
    first = error.errors()[0]
    name = first["loc"][0]
    if first["type"] == "missing":
        return Refusal(Code.MISSING_COMPULSORY_PARAM, f"{name}: must be given")
    return Refusal(Code.INCORRECT_PARAM, f"{name}: {first['msg']}")


@pytest.fixture
def customers(database: Database) -> Iterator[tuple[Customer, Customer]]:
    """Two accounts that know nothing of each other."""
    made = []
    for email in ("ana@example.com", "bob@example.com"):
        with database.transaction() as connection:
            account_id = accounts.create(connection, email, now=NOW)
        made.append(Customer(database, Account(account_id, email, ZoneInfo("UTC"))))
    yield made[0], made[1]


@pytest.fixture
def ana(customers: tuple[Customer, Customer]) -> Customer:
    """The account that calls."""
    return customers[0]


@pytest.fixture
def bob(customers: tuple[Customer, Customer]) -> Customer:
    """Another account, whose things are not to be seen or touched."""
    return customers[1]
