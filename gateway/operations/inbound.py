"""What the class `sms` gives of messages that came in."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from gateway.operations.catalogue import Parameters, operation
from gateway.operations.context import Answer, Context, Moment
from gateway.operations.types import Digits, Limit, Wire
from gateway.storage.queries import inbound

InboundId = Annotated[int, Wire(Digits("getinbound"), (("pattern", "^[0-9]+$"),))]


class GetInbound(Parameters):
    """Which messages to list."""

    after: InboundId = Field(0, description="The id of the last message that was read; left out, the list begins.")
    limit: Limit = Field(100, description="Most messages to give, up to 1000.")


class InboundEntry(BaseModel):
    """A message that somebody sent to one of the account's numbers."""

    id: str = Field(description="Id of the message, digits; later ones have higher ids.")
    from_: str = Field(alias="from", description="Who sent it: E.164 digits, or as the network gave it.")
    to: str = Field(description="The number that it was sent to.")
    text: str = Field(description="What it says; parts of a long one joined.")
    receiveddate: datetime = Field(description="When it arrived, in the account's time zone.")


class InboundPage(BaseModel):
    """A part of a list of messages."""

    messages: list[InboundEntry]
    next: str | None = Field(
        description="What to give as after for the next part; null at the end, where the last id is."
    )


@operation(
    "sms.getinbound",
    parameters=GetInbound,
    result=InboundPage,
    summary="List the messages that came in for the account, a part at a time.",
    example={"limit": "100"},
)
def getinbound(context: Context, parameters: GetInbound) -> Answer:
    """In the order in which they were stored, so that whoever asks again with the last id misses none."""
    with context.read() as connection:
        page = inbound.page(connection, context.account.id, parameters.after, parameters.limit + 1)
    more = len(page) > parameters.limit
    shown = page[: parameters.limit]
    entries = [
        {
            "id": str(row["id"]),
            "from": row["source"],
            "to": row["destination"],
            "text": row["text"],
            "receiveddate": Moment(row["received_at"], context.account.zone),
        }
        for row in shown
    ]
    return Answer({"messages": entries, "next": str(shown[-1]["id"]) if more else None})
