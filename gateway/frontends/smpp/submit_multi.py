"""submit_multi: one text to several destinations, each a message of its own (SMPP 3.4, 4.5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from gateway.frontends.smpp import statuses
from gateway.operations import direct
from gateway.operations.errors import Refusal
from gateway.smpp.pdu import SmeAddress, SubmitMulti, UnsuccessSme

if TYPE_CHECKING:
    from gateway.operations.context import Context
    from gateway.operations.direct import Plan
    from gateway.storage.submission import Row


class Multi:
    """The messages of one submit_multi.

    `numbers` are the destinations that are numbers, `unsuccess` those that were refused, once `rows` was called too.
    Raises `Refusal` where there is no destination, or a distribution list.
    """

    def __init__(self, context: Context, plan: Plan, pdu: SubmitMulti) -> None:
        if not pdu.dest_addresses:
            raise direct.incorrect("number_of_dests", "There is no destination.")
        self.unsuccess: list[UnsuccessSme] = []
        self._context = context
        self._plan = plan
        self._refusal: Refusal | None = None
        self._served: list[tuple[str, SmeAddress]] = []
        for address in pdu.dest_addresses:
            if not isinstance(address, SmeAddress):
                raise direct.incorrect("dl_name", "There are no distribution lists here: name the destinations.")
            try:
                to = direct.number_of(address.destination_addr, address.dest_addr_ton, context.account.country)
            except Refusal as refusal:
                self._refuse(address, refusal)
            else:
                self._served.append((to, address))

    @property
    def numbers(self) -> tuple[str, ...]:
        """In E.164 digits."""
        return tuple(to for to, _ in self._served)

    def rows(self, message_ids: Sequence[int], opted_out: Collection[str]) -> tuple[list[Row], int]:
        """The messages' rows, which take the first of the ids in turn, and the price of all in micro-credits.

        Raises `Refusal`, that of the first destination, where none can be served.
        """
        rows: list[Row] = []
        total = 0
        for to, address in self._served:
            try:
                direct.check_opted_out(to, opted_out)
                row, price = direct.row(self._context, self._plan, to, message_ids[len(rows)])
            except Refusal as refusal:
                self._refuse(address, refusal)
                continue
            rows.append(row)
            total += price
        if self._refusal is not None and not rows:
            raise self._refusal
        return rows, total

    def _refuse(self, address: SmeAddress, refusal: Refusal) -> None:
        self._refusal = self._refusal or refusal
        status = statuses.of_request(refusal.code, refusal.parameter)
        self.unsuccess.append(
            UnsuccessSme(address.dest_addr_ton, address.dest_addr_npi, address.destination_addr, status)
        )
