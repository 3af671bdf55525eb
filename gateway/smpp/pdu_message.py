"""The PDUs that are about messages: submit, deliver, data, query, cancel, replace.

Source: SMPP 3.4, 4.4 to 4.10.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from gateway.smpp.constants import CommandId
from gateway.smpp.pdu_base import Pdu


@dataclass(slots=True)
class ShortMessage(Pdu):
    """The fields that submit_sm and deliver_sm share (4.4.1, 4.6.1)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(slots=True)
class SubmitSm(ShortMessage):
    """An ESME submits a message (4.4.1)."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM


@dataclass(slots=True)
class SubmitSmResp(Pdu):
    """The answer to submit_sm: the SMSC's id of the message (4.4.2)."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM_RESP

    message_id: str = ""


@dataclass(slots=True)
class DeliverSm(ShortMessage):
    """An SMSC delivers a message or a receipt (4.6.1).

    schedule_delivery_time, validity_period, replace_if_present_flag and sm_default_msg_id are null in it.
    """

    command_id: ClassVar[int] = CommandId.DELIVER_SM


@dataclass(slots=True)
class DeliverSmResp(Pdu):
    """The answer to deliver_sm (4.6.2). Its message_id is null."""

    command_id: ClassVar[int] = CommandId.DELIVER_SM_RESP

    message_id: str = ""


@dataclass(slots=True)
class SmeAddress:
    """One destination of a submit_multi (4.5.1.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(slots=True)
class DistributionList:
    """A list of destinations that the SMSC knows by name (4.5.1.2)."""

    dl_name: str = ""


@dataclass(slots=True)
class UnsuccessSme:
    """A destination that a submit_multi could not be submitted to, and why (4.5.2.1)."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    error_status_code: int = 0


@dataclass(slots=True)
class SubmitMulti(Pdu):
    """An ESME submits one message to several destinations (4.5.1)."""

    command_id: ClassVar[int] = CommandId.SUBMIT_MULTI

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addresses: list[SmeAddress | DistributionList] = field(default_factory=list)
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(slots=True)
class SubmitMultiResp(Pdu):
    """The answer to submit_multi: one id for all, and the destinations that were refused (4.5.2)."""

    command_id: ClassVar[int] = CommandId.SUBMIT_MULTI_RESP

    message_id: str = ""
    unsuccess_sme: list[UnsuccessSme] = field(default_factory=list)


@dataclass(slots=True)
class DataSm(Pdu):
    """Either side sends a message with all but its addresses in TLVs (4.7.1)."""

    command_id: ClassVar[int] = CommandId.DATA_SM

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


@dataclass(slots=True)
class DataSmResp(Pdu):
    """The answer to data_sm (4.7.2)."""

    command_id: ClassVar[int] = CommandId.DATA_SM_RESP

    message_id: str = ""


@dataclass(slots=True)
class QuerySm(Pdu):
    """An ESME asks what became of a message (4.8.1)."""

    command_id: ClassVar[int] = CommandId.QUERY_SM

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass(slots=True)
class QuerySmResp(Pdu):
    """The answer to query_sm (4.8.2); message_state as in MessageState."""

    command_id: ClassVar[int] = CommandId.QUERY_SM_RESP

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass(slots=True)
class CancelSm(Pdu):
    """An ESME takes a message back, or all of a service_type between two addresses (4.9.1)."""

    command_id: ClassVar[int] = CommandId.CANCEL_SM

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(slots=True)
class CancelSmResp(Pdu):
    """The answer to cancel_sm (4.9.2)."""

    command_id: ClassVar[int] = CommandId.CANCEL_SM_RESP


@dataclass(slots=True)
class ReplaceSm(Pdu):
    """An ESME replaces a message that was not delivered yet (4.10.1)."""

    command_id: ClassVar[int] = CommandId.REPLACE_SM

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(slots=True)
class ReplaceSmResp(Pdu):
    """The answer to replace_sm (4.10.2)."""

    command_id: ClassVar[int] = CommandId.REPLACE_SM_RESP
