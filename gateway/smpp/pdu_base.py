"""What all PDUs have in common."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(slots=True, kw_only=True)
class Pdu:
    """A protocol data unit (SMPP 3.4, 3.2): one dataclass per command_id, in the standard's names and order.

    C-octet strings are `str`, each character one octet (Latin-1) and none of them NUL; integers are unsigned;
    counts and lengths (sm_length, number_of_dests, no_unsuccess) follow from what they count. Every field has
    the standard's null as its default. What every PDU has is given by keyword.
    """

    command_id: ClassVar[int]

    # The optional parameters as they came, by tag; of a tag that comes twice the last.
    tlvs: dict[int, bytes] = field(default_factory=dict)
    # 0 until the session that sends the PDU numbers it.
    sequence_number: int = 0
    # 0 in requests (5.1.3).
    command_status: int = 0
