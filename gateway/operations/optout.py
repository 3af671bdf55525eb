"""The class `optout`: the recipients that want nothing more from the account."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.messaging.quoting import quote
from gateway.operations.catalogue import Parameters, operation
from gateway.operations.context import Answer, Change, Context, Moment
from gateway.operations.errors import Code, Refusal
from gateway.operations.sending import destination
from gateway.operations.types import Limit, Text, Wire
from gateway.storage.queries import optouts

_NUMBER = "The number in international form, or national to the account's country."
_E164 = re.compile("[0-9]{1,15}")


def _after(text: str) -> str:
    if not _E164.fullmatch(text):
        raise ValueError(f"must be a number in digits, as getoptouts gives it, not {quote(text)}")
    return text


After = Annotated[str, Wire(_after, (("pattern", "^[0-9]{1,15}$"),))]


class GetOptOuts(Parameters):
    """Which part of the list to give."""

    after: After | None = Field(None, description="The next of the page before; left out, the list begins.")
    limit: Limit = Field(100, description="Most numbers to give, up to 1000.")


class OneNumber(Parameters):
    """Whose number it is about."""

    number: Text = Field(description=_NUMBER)


class OptOutEntry(BaseModel):
    """A recipient on the list."""

    number: str = Field(description="E.164 digits.")
    addeddate: datetime = Field(description="Since when, in the account's time zone.")


class OptOutPage(BaseModel):
    """A part of the list."""

    optouts: list[OptOutEntry]
    next: str | None = Field(description="What to give as after for the next part; null at the end.")


@operation(
    "optout.getoptouts",
    parameters=GetOptOuts,
    result=OptOutPage,
    summary="List the recipients that want no more from the account, a part at a time.",
    example={"limit": "100"},
)
def getoptouts(context: Context, parameters: GetOptOuts) -> Answer:
    """In the order of their digits."""
    with context.read() as connection:
        page = optouts.page(connection, context.account.id, parameters.after or "", parameters.limit + 1)
    more = len(page) > parameters.limit
    shown = page[: parameters.limit]
    entries = [
        {"number": row["destination"], "addeddate": Moment(row["created_at"], context.account.zone)} for row in shown
    ]
    return Answer({"optouts": entries, "next": shown[-1]["destination"] if more else None})


@operation(
    "optout.addoptout",
    parameters=OneNumber,
    result=None,
    summary="Put a recipient on the opt-out list: sends to it are refused from then on.",
    example={"number": "34600000099"},
)
def addoptout(context: Context, parameters: OneNumber) -> Change:
    """One that is on the list stays on it. Messages that were accepted before still go out."""
    number = destination(context, parameters.number, "number")

    def work(connection: Connection) -> None:
        optouts.add(connection, context.account.id, number, context.now)

    return Change(work)


@operation(
    "optout.deleteoptout",
    parameters=OneNumber,
    result=None,
    summary="Take a recipient off the opt-out list.",
    example={"number": "34600000099"},
)
def deleteoptout(context: Context, parameters: OneNumber) -> Change:
    """A number that is not on the list is INCORRECT_PARAM."""
    number = destination(context, parameters.number, "number")

    def work(connection: Connection) -> None:
        if not optouts.remove(connection, context.account.id, number):
            raise Refusal(Code.INCORRECT_PARAM, f"number: {number} is not on the account's opt-out list")

    return Change(work)
