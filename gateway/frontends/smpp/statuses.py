"""What a refusal is called on the wire: the one table from the errors of operations to command_status.

Numbers of SMPP 3.4, section 5.1.3. One dictionary for each kind of request.
"""

from collections.abc import Mapping
from typing import Final

from gateway.operations.errors import Code
from gateway.smpp.constants import CommandStatus

BIND: Final[Mapping[Code, CommandStatus]] = {
    # An unknown login and a wrong password are the same answer, so that nobody learns which logins there are.
    Code.MISSING_USER: CommandStatus.ESME_RINVPASWD,
    Code.MISSING_PASSWORD: CommandStatus.ESME_RINVPASWD,
    Code.INCORRECT_USER_PASSWORD: CommandStatus.ESME_RINVPASWD,
    Code.IP_NOT_ALLOWED: CommandStatus.ESME_RBINDFAIL,
    Code.NOT_PERMITTED: CommandStatus.ESME_RBINDFAIL,
    Code.TOO_MANY_REQUESTS: CommandStatus.ESME_RTHROTTLED,
    Code.UNAVAILABLE: CommandStatus.ESME_RSYSERR,
    Code.INTERNAL_ERROR: CommandStatus.ESME_RSYSERR,
}
"""Why a bind was refused."""

BOUND_TOO_OFTEN: Final = CommandStatus.ESME_RALYBND
"""The access has as many sessions as it may, on whatever process and machine."""

REQUESTS: Final[Mapping[Code, CommandStatus]] = {
    # The session's access was changed, revoked, suspended, or never had the permission.
    Code.INCORRECT_USER_PASSWORD: CommandStatus.ESME_RINVBNDSTS,
    Code.IP_NOT_ALLOWED: CommandStatus.ESME_RINVBNDSTS,
    Code.NOT_PERMITTED: CommandStatus.ESME_RINVBNDSTS,
    Code.TOO_MANY_REQUESTS: CommandStatus.ESME_RTHROTTLED,
    Code.INCORRECT_METHOD: CommandStatus.ESME_RINVCMDID,
    Code.MISSING_COMPULSORY_PARAM: CommandStatus.ESME_RMISSINGOPTPARAM,
    Code.INCORRECT_PARAM: CommandStatus.ESME_RSUBMITFAIL,
    Code.NO_ROUTE_AVAILABLE: CommandStatus.ESME_RINVDSTADR,
    Code.OPTED_OUT: CommandStatus.ESME_RINVDSTADR,
    Code.NO_CREDITS: CommandStatus.ESME_RSUBMITFAIL,
    Code.UNAVAILABLE: CommandStatus.ESME_RSYSERR,
    Code.INTERNAL_ERROR: CommandStatus.ESME_RSYSERR,
}
"""Why a request on a bound session was refused, where `PARAMETERS` names no field."""

PARAMETERS: Final[Mapping[str, CommandStatus]] = {
    "source_addr": CommandStatus.ESME_RINVSRCADR,
    "destination_addr": CommandStatus.ESME_RINVDSTADR,
    "esm_class": CommandStatus.ESME_RINVESMCLASS,
    "priority_flag": CommandStatus.ESME_RINVPRTFLG,
    "schedule_delivery_time": CommandStatus.ESME_RINVSCHED,
    "validity_period": CommandStatus.ESME_RINVEXPIRY,
    "registered_delivery": CommandStatus.ESME_RINVREGDLVFLG,
    "replace_if_present_flag": CommandStatus.ESME_RINVREPFLAG,
    # SMPP 3.4 has no status for a data_coding that is not served, or for octets that are none of it.
    "data_coding": CommandStatus.ESME_RSUBMITFAIL,
    "sm_default_msg_id": CommandStatus.ESME_RINVDFTMSGID,
    "short_message": CommandStatus.ESME_RINVMSGLEN,
    "message_payload": CommandStatus.ESME_ROPTPARNOTALLWD,
    "user_message_reference": CommandStatus.ESME_RINVPARLEN,
    "sar_msg_ref_num": CommandStatus.ESME_RINVOPTPARAMVAL,
    "sar_total_segments": CommandStatus.ESME_RINVOPTPARAMVAL,
    "sar_segment_seqnum": CommandStatus.ESME_RINVOPTPARAMVAL,
    "number_of_dests": CommandStatus.ESME_RINVNUMDESTS,
    "dl_name": CommandStatus.ESME_RINVDLNAME,
    "service_type": CommandStatus.ESME_RINVSERTYP,
    "message_id": CommandStatus.ESME_RINVMSGID,
    # Of cancel_sm: nothing waits, since the message is on its way or over.
    "message_state": CommandStatus.ESME_RCANCELFAIL,
}
"""Which field or TLV of a request was wrong. One that is missing is of `REQUESTS`, but for an address."""

REPLACE_REFUSED: Final = CommandStatus.ESME_RREPLACEFAIL
"""replace_sm is not served: cancel and submit anew."""


def of_request(code: Code, parameter: str) -> CommandStatus:
    """The status of a refusal of this code that names this parameter ("": none)."""
    if code is Code.INCORRECT_PARAM or parameter == "destination_addr":
        return PARAMETERS.get(parameter, REQUESTS[Code.INCORRECT_PARAM])
    return REQUESTS.get(code, CommandStatus.ESME_RUNKNOWNERR)
