"""Messages as a carrier delivers them, and what became of them in the database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update

from gateway.messaging.inbound import Inbound, Part
from gateway.storage.queries.dispatch import arrivals
from gateway.storage.queries.dispatch.arrivals import Policy
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.schema import access, account, inbound, inbound_part, inbound_route, opt_out, outbox
from tests.support.dispatch import NOW, World

NUMBER = "7373"
ANA = "34600000001"
ANY_PROTOCOL = None


def arrived(text: str = "Hello", **values: Any) -> Inbound:
    """A message from `ANA` to `NUMBER`, as a carrier gives it."""
    fields = {"source": ANA, "destination": NUMBER, "data_coding": 0, "esm_class": 0, "at": NOW}
    payload = text.encode("utf-16-be", "surrogatepass")
    return Inbound(text=text, payload=payload, **{**fields, **values})


def pieces(texts: Sequence[str], reference: int = 1, **values: Any) -> list[Inbound]:
    """The parts of a long message, in order."""
    return [arrived(text, part=Part(reference, len(texts), seq), **values) for seq, text in enumerate(texts, start=1)]


def again(message: Inbound, **values: Any) -> Inbound:
    """The same, delivered once more."""
    return replace(message, **values)


class Arrivals:
    """What carrier 1 delivers is stored by `give`, each call in a transaction of its own."""

    def __init__(self, world: World, policy: Policy | None = None) -> None:
        self.world = world
        self.policy = policy or Policy()
        self.lease: Lease = world.lease()

    def give(self, *messages: Inbound, now: int = NOW) -> int:
        """Store them in one transaction; how many messages they made."""
        return self.world.run(lambda connection: arrivals.store(connection, self.lease, messages, now, self.policy))

    def end_waiting(self, now: int) -> int:
        """Store what has waited too long for its other parts."""
        return self.world.run(lambda connection: arrivals.end_waiting(connection, now, self.policy))

    def route(self, account_id: int, number: str = NUMBER, keyword: str = "") -> None:
        """Give the account a number or a keyword under one."""
        self.world.change(insert(inbound_route).values(account_id=account_id, number=number, keyword=keyword))

    def account(self, country: str = "") -> int:
        """Another account."""
        found = self.world.new_account()
        self.world.change(update(account).where(account.c.id == found).values(country=country))
        return found

    def access(self, account_id: int, protocols: str | None = ANY_PROTOCOL, **values: Any) -> None:
        """A way in for the account; `protocols` as JSON."""
        row = {"account_id": account_id, "name": "a", "login": f"tl_{account_id}", "secret": "-", "created_at": NOW}
        self.world.change(insert(access).values(**row, protocols=protocols, **values))

    def stored(self) -> list[dict[str, Any]]:
        """Every message, in the order of the ids."""
        return [dict(row) for row in self.world.rows(select(inbound).order_by(inbound.c.id))]

    def texts(self) -> list[str]:
        """What they say."""
        return [row["text"] for row in self.stored()]

    def waiting(self) -> list[tuple[int, int, bool]]:
        """Parts as reference, number and whether their message is complete."""
        found = self.world.rows(select(inbound_part).order_by(inbound_part.c.id))
        return [(row["reference"], row["seq"], row["inbound_id"] is not None) for row in found]

    def opted_out(self) -> set[tuple[int, str]]:
        """Accounts and numbers."""
        return {(row["account_id"], row["destination"]) for row in self.world.rows(select(opt_out))}

    def announced(self) -> list[dict[str, Any]]:
        """The rows of the outbox."""
        return [dict(row) for row in self.world.rows(select(outbox).order_by(outbox.c.id))]
