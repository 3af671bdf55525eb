"""How the simulated SMSC behaves."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.smsc.styles import Style
from gateway.smsc.texts import Alphabet


@dataclass(frozen=True, slots=True)
class Options:
    """Times are in seconds. None turns a misbehaviour off, or lets anything in.

    `drop_after`: a link is cut after so many submits. `wrong_sequence`: every so many answers one has a wrong
    sequence_number. `receipt_delay`: from an answer to its receipt, where the number's rule says nothing else.
    `response`: until a deliver_sm counts as not acknowledged.
    """

    system_id: str | None = None
    password: str | None = field(default=None, repr=False)
    throughput: float | None = None
    latency: float = 0.0
    drop_after: int | None = None
    wrong_sequence: int | None = None
    style: Style = field(default_factory=Style)
    receipt_delay: float = 1.0
    journal: Path | None = None
    alphabet: Alphabet = "gsm"
    response: float = 10.0
