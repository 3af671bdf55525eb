"""The PDUs that are about the session itself: bind, outbind, unbind, enquire_link, alert_notification, generic_nack.

Source: SMPP 3.4, 4.1, 4.2, 4.3, 4.11, 4.12.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from gateway.smpp.constants import INTERFACE_VERSION, CommandId
from gateway.smpp.pdu_base import Pdu


@dataclass(slots=True)
class Bind(Pdu):
    """What the three binds have in common (4.1)."""

    system_id: str = ""
    # Kept out of reprs, which end in logs.
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(slots=True)
class BindResp(Pdu):
    """What the answers to the three binds have in common: the SMSC's system_id (4.1)."""

    system_id: str = ""


@dataclass(slots=True)
class BindTransmitter(Bind):
    """An ESME asks for a session in which it submits (4.1.1)."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER


@dataclass(slots=True)
class BindTransmitterResp(BindResp):
    """The answer to bind_transmitter (4.1.2)."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER_RESP


@dataclass(slots=True)
class BindReceiver(Bind):
    """An ESME asks for a session in which it is delivered to (4.1.3)."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER


@dataclass(slots=True)
class BindReceiverResp(BindResp):
    """The answer to bind_receiver (4.1.4)."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER_RESP


@dataclass(slots=True)
class BindTransceiver(Bind):
    """An ESME asks for a session in which it does both (4.1.5)."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER


@dataclass(slots=True)
class BindTransceiverResp(BindResp):
    """The answer to bind_transceiver (4.1.6)."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER_RESP


@dataclass(slots=True)
class Outbind(Pdu):
    """An SMSC asks an ESME to bind as a receiver (4.1.7). It has no answer but a bind_receiver."""

    command_id: ClassVar[int] = CommandId.OUTBIND

    system_id: str = ""
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class Unbind(Pdu):
    """Either side ends the session (4.2.1)."""

    command_id: ClassVar[int] = CommandId.UNBIND


@dataclass(slots=True)
class UnbindResp(Pdu):
    """The answer to unbind (4.2.2)."""

    command_id: ClassVar[int] = CommandId.UNBIND_RESP


@dataclass(slots=True)
class EnquireLink(Pdu):
    """Either side asks whether the other is there (4.11.1)."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK


@dataclass(slots=True)
class EnquireLinkResp(Pdu):
    """The answer to enquire_link (4.11.2)."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK_RESP


@dataclass(slots=True)
class AlertNotification(Pdu):
    """An SMSC tells that a subscriber can be reached again (4.12.1). It has no answer."""

    command_id: ClassVar[int] = CommandId.ALERT_NOTIFICATION

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""


@dataclass(slots=True)
class GenericNack(Pdu):
    """The answer to what is no valid PDU, with its sequence_number if it can be read (4.3.1)."""

    command_id: ClassVar[int] = CommandId.GENERIC_NACK
