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
