"""Every PDU of SMPP 3.4 (section 4), and which of them answers which."""

from typing import Any

from gateway.smpp.pdu_base import Pdu
from gateway.smpp.pdu_message import (
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    DistributionList,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    ShortMessage,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    UnsuccessSme,
)
from gateway.smpp.pdu_session import (
    AlertNotification,
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Unbind,
    UnbindResp,
)

__all__ = [
    "PDUS",
    "RESPONSES",
    "AlertNotification",
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "CancelSm",
    "CancelSmResp",
    "DataSm",
    "DataSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "DistributionList",
    "EnquireLink",
    "EnquireLinkResp",
    "GenericNack",
    "Outbind",
    "Pdu",
    "QuerySm",
    "QuerySmResp",
    "ReplaceSm",
    "ReplaceSmResp",
    "ShortMessage",
    "SmeAddress",
    "SubmitMulti",
    "SubmitMultiResp",
    "SubmitSm",
    "SubmitSmResp",
    "Unbind",
    "UnbindResp",
    "UnsuccessSme",
    "response_of",
]

# The response of each request that has one.
RESPONSES: dict[type[Pdu], type[Pdu]] = {
    BindTransmitter: BindTransmitterResp,
    BindReceiver: BindReceiverResp,
    BindTransceiver: BindTransceiverResp,
    Unbind: UnbindResp,
    SubmitSm: SubmitSmResp,
    SubmitMulti: SubmitMultiResp,
    DeliverSm: DeliverSmResp,
    DataSm: DataSmResp,
    QuerySm: QuerySmResp,
    CancelSm: CancelSmResp,
    ReplaceSm: ReplaceSmResp,
    EnquireLink: EnquireLinkResp,
}

_KINDS: list[type[Pdu]] = [*RESPONSES, *RESPONSES.values(), Outbind, AlertNotification, GenericNack]

# Every PDU by its command_id.
PDUS: dict[int, type[Pdu]] = {int(kind.command_id): kind for kind in _KINDS}


def response_of(request: Pdu, status: int = 0, **fields: Any) -> Pdu:
    """Make the answer to a request: its _resp, with its sequence_number, a command_status and the _resp's own fields.

    Raises TypeError for a PDU that has no response, and for a field that the response does not have.
    """
    response = RESPONSES.get(type(request))
    if response is None:
        raise TypeError(f"{type(request).__name__} has no response")
    return response(**fields, sequence_number=request.sequence_number, command_status=status)
