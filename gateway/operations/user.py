"""The class `user`: what an account knows of itself."""

from decimal import Decimal

from gateway.operations.catalogue import NoParameters, operation
from gateway.operations.context import Answer, Context, Credits
from gateway.storage.queries import ledger


@operation(
    "user.getbalance",
    parameters=NoParameters,
    result=Decimal,
    summary="The account's balance in credits.",
    example={},
)
def getbalance(context: Context, _: NoParameters) -> Answer:
    """The balance itself, not an object: clients log in by calling this (wire-facts)."""
    with context.read() as connection:
        return Answer(Credits(ledger.balance(connection, context.account.id)))
