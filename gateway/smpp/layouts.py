"""Which fields each PDU has on the wire, in order (SMPP 3.4, 4.1 to 4.12)."""

from gateway.smpp import pdu
from gateway.smpp.constants import CommandStatus
from gateway.smpp.fields import (
    DESTINATION,
    SERVICE_TYPE,
    SOURCE,
    TEXT_LIMIT,
    Destinations,
    Field,
    Message,
    Number,
    Text,
    Unsuccessful,
)

# 15 in the standard (5.2.1); here logins may be e-mail addresses, which end at 254 characters (RFC 5321, 4.5.3.1.3
# less its brackets).
SYSTEM_ID_LIMIT = 254
# 8 in the standard (5.2.2), too few for a password that nobody guesses.
PASSWORD_LIMIT = 254

_OCTET = Number()
_SYSTEM_ID = Text(SYSTEM_ID_LIMIT, CommandStatus.ESME_RINVSYSID)
_PASSWORD = Text(PASSWORD_LIMIT, CommandStatus.ESME_RINVPASWD)
_MESSAGE_ID = Text(TEXT_LIMIT, CommandStatus.ESME_RINVMSGID)
_SCHEDULE = Text(TEXT_LIMIT, CommandStatus.ESME_RINVSCHED)
_VALIDITY = Text(TEXT_LIMIT, CommandStatus.ESME_RINVEXPIRY)

Layout = tuple[tuple[str, Field], ...]

_SOURCE: Layout = (("source_addr_ton", _OCTET), ("source_addr_npi", _OCTET), ("source_addr", SOURCE))
_DESTINATION: Layout = (("dest_addr_ton", _OCTET), ("dest_addr_npi", _OCTET), ("destination_addr", DESTINATION))
_TIMES: Layout = (("schedule_delivery_time", _SCHEDULE), ("validity_period", _VALIDITY))
_AFTER_ADDRESSES: Layout = (
    ("esm_class", _OCTET),
    ("protocol_id", _OCTET),
    ("priority_flag", _OCTET),
    *_TIMES,
    ("registered_delivery", _OCTET),
    ("replace_if_present_flag", _OCTET),
    ("data_coding", _OCTET),
    ("sm_default_msg_id", _OCTET),
    ("short_message", Message()),
)
_BIND: Layout = (
    ("system_id", _SYSTEM_ID),
    ("password", _PASSWORD),
    ("system_type", Text(TEXT_LIMIT, CommandStatus.ESME_RINVSYSTYP)),
    ("interface_version", _OCTET),
    ("addr_ton", _OCTET),
    ("addr_npi", _OCTET),
    ("address_range", Text(TEXT_LIMIT, CommandStatus.ESME_RBINDFAIL)),
)
_BIND_RESP: Layout = (("system_id", _SYSTEM_ID),)
_SHORT_MESSAGE: Layout = (("service_type", SERVICE_TYPE), *_SOURCE, *_DESTINATION, *_AFTER_ADDRESSES)
_ID: Layout = (("message_id", _MESSAGE_ID),)

LAYOUTS: dict[type[pdu.Pdu], Layout] = {
    pdu.BindTransmitter: _BIND,
    pdu.BindTransmitterResp: _BIND_RESP,
    pdu.BindReceiver: _BIND,
    pdu.BindReceiverResp: _BIND_RESP,
    pdu.BindTransceiver: _BIND,
    pdu.BindTransceiverResp: _BIND_RESP,
    pdu.Outbind: (("system_id", _SYSTEM_ID), ("password", _PASSWORD)),
    pdu.Unbind: (),
    pdu.UnbindResp: (),
    pdu.SubmitSm: _SHORT_MESSAGE,
    pdu.SubmitSmResp: _ID,
    pdu.SubmitMulti: (
        ("service_type", SERVICE_TYPE),
        *_SOURCE,
        ("dest_addresses", Destinations()),
        *_AFTER_ADDRESSES,
    ),
    pdu.SubmitMultiResp: (*_ID, ("unsuccess_sme", Unsuccessful())),
    pdu.DeliverSm: _SHORT_MESSAGE,
    pdu.DeliverSmResp: _ID,
    pdu.DataSm: (
        ("service_type", SERVICE_TYPE),
        *_SOURCE,
        *_DESTINATION,
        ("esm_class", _OCTET),
        ("registered_delivery", _OCTET),
        ("data_coding", _OCTET),
    ),
    pdu.DataSmResp: _ID,
    pdu.QuerySm: (*_ID, *_SOURCE),
    pdu.QuerySmResp: (*_ID, ("final_date", _SCHEDULE), ("message_state", _OCTET), ("error_code", _OCTET)),
    pdu.CancelSm: (("service_type", SERVICE_TYPE), *_ID, *_SOURCE, *_DESTINATION),
    pdu.CancelSmResp: (),
    pdu.ReplaceSm: (
        *_ID,
        *_SOURCE,
        *_TIMES,
        ("registered_delivery", _OCTET),
        ("sm_default_msg_id", _OCTET),
        ("short_message", Message()),
    ),
    pdu.ReplaceSmResp: (),
    pdu.EnquireLink: (),
    pdu.EnquireLinkResp: (),
    pdu.AlertNotification: (
        *_SOURCE,
        ("esme_addr_ton", _OCTET),
        ("esme_addr_npi", _OCTET),
        ("esme_addr", DESTINATION),
    ),
    pdu.GenericNack: (),
}

# Read leniently like responses: they have no fields, and what follows their header matters to nobody.
_WITHOUT_FIELDS = (pdu.Unbind, pdu.EnquireLink, pdu.GenericNack)

LENIENT = frozenset([*pdu.RESPONSES.values(), *_WITHOUT_FIELDS])

# Their body is not sent with a command_status other than 0 (4.1.2, 4.1.4, 4.1.6, 4.4.2, 4.5.2).
BODILESS_ON_ERROR = frozenset(
    [
        pdu.BindTransmitterResp,
        pdu.BindReceiverResp,
        pdu.BindTransceiverResp,
        pdu.SubmitSmResp,
        pdu.SubmitMultiResp,
    ]
)
