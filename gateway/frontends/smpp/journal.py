"""What sessions leave behind: the rows of the log of calls, the lines of the process's own, the numbers."""

from collections import Counter
from functools import cache

from gateway import logs, metrics
from gateway.frontends.smpp.bound import Bound, Mode
from gateway.frontends.smpp.services import Services
from gateway.operations.catalogue import NoParameters, Operation, Parameters
from gateway.operations.errors import Code
from gateway.pipeline.call import Call, Reply
from gateway.smpp.constants import RESPONSE_BIT, CommandId, CommandStatus
from gateway.smpp.events import Answered
from gateway.smpp.pdu import Bind, Pdu
from gateway.storage.errors import Unavailable
from gateway.storage.records import Access

PROTOCOL = CLASS = "smpp"

# The request is right, and the session is not where it belongs.
_OUT_OF_PLACE = frozenset({CommandStatus.ESME_RALYBND, CommandStatus.ESME_RINVBNDSTS})

_NUMBERS = ("interface_version", "addr_ton", "addr_npi")

# What happened in a second, by source and reason, that is told one by one.
_REASONS = 50


class BindParameters(Parameters):
    """What the log keeps of a bind."""

    system_type: str | None = None
    interface_version: str | None = None
    addr_ton: str | None = None
    addr_npi: str | None = None
    address_range: str | None = None


def _operation(method: str, parameters: type[Parameters]) -> Operation:
    def run(*_: object) -> None:
        raise AssertionError("binds and unbinds are run by the session")

    return Operation(CLASS, method, parameters, None, (), "", {}, run)  # type: ignore[arg-type]


BINDS = {mode: _operation(f"bind_{mode}", BindParameters) for mode in Mode}
UNBIND = _operation("unbind", NoParameters)

# Requests that leave a row in the log, refused by the session itself before anybody else saw them.
_REFUSED = {
    **{
        int(command_id): _operation(command_id.name.lower(), NoParameters)
        for command_id in (
            CommandId.SUBMIT_SM,
            CommandId.SUBMIT_MULTI,
            CommandId.QUERY_SM,
            CommandId.CANCEL_SM,
            CommandId.REPLACE_SM,
            CommandId.DATA_SM,
        )
    },
    int(CommandId.BIND_TRANSMITTER): BINDS[Mode.TRANSMITTER],
    int(CommandId.BIND_RECEIVER): BINDS[Mode.RECEIVER],
    int(CommandId.BIND_TRANSCEIVER): BINDS[Mode.TRANSCEIVER],
}


def bind_call(pdu: Bind, mode: Mode, source_ip: str, session: int, now: int) -> Call:
    """A bind as a call; `now` is in UTC microseconds."""
    return Call(
        protocol=PROTOCOL,
        source_ip=source_ip,
        login=_read(pdu.system_id),
        secret=_read(pdu.password),
        class_name=CLASS,
        method=f"bind_{mode}",
        parameters={
            "interface_version": f"0x{pdu.interface_version:02X}",
            "system_type": _read(pdu.system_type),
            "addr_ton": str(pdu.addr_ton),
            "addr_npi": str(pdu.addr_npi),
            "address_range": _read(pdu.address_range),
        },
        request_id=f"{session}-{pdu.sequence_number}",
        received_at=now,
        operation=BINDS[mode],
    )


def _read(octets: str) -> str:
    """A name or a password beyond ASCII, of which the standard knows nothing: UTF-8 where it can be, else Latin-1."""
    try:
        return octets if octets.isascii() else octets.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return octets


class Journal:
    """See the module."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._answers: Counter[tuple[int, int]] = Counter()
        self._told: Counter[tuple[str, str, str]] = Counter()

    def call(self, call: Call, reply: Reply, access: Access | None, tried: Access | None = None) -> None:
        """A bind or an unbind was decided; `tried` is the access whose login a stranger gave.

        Raises `Unavailable` where it cannot be logged.
        """
        services = self._services
        call.access = access
        if access is None:
            # A stranger's free text may be anything, a secret gone astray too.
            call.parameters = {name: value for name, value in call.parameters.items() if name in _NUMBERS}
            rows = services.logbook.stranger(call, reply, tried, call.operation)
        else:
            rows = [services.logbook.row(call, reply, access, call.operation)]
        for row in rows:
            services.host.post(row)
        services.observer.call(call, reply, call.operation)

    def unbound(self, bound: Bound, reason: str) -> None:
        """A session ended, in whatever way."""
        services = self._services
        seconds = int(services.monotonic() - bound.since)
        call = Call(
            protocol=PROTOCOL,
            source_ip=bound.source_ip,
            login=bound.access.login,
            secret=None,
            class_name=CLASS,
            method="unbind",
            parameters={},
            request_id=str(bound.id),
            received_at=services.now(),
            operation=UNBIND,
        )
        logs.info(
            "smpp session ended",
            account=bound.access.account.id,
            access=bound.access.id,
            source_ip=bound.source_ip,
            mode=str(bound.mode),
            session=bound.id,
            seconds=seconds,
            reason=reason,
        )
        try:
            self.call(call, Reply({"session": str(bound.id), "reason": reason, "seconds": seconds}), bound.access)
        except Unavailable as error:
            logs.warning("an unbind cannot be logged", session=bound.id, reason=str(error))

    def refused(self, source_ip: str, refusal: Answered, bound: Bound | None) -> None:
        """The session itself refused what came: unreadable, unknown, or not in this state. `bound` if it is bound."""
        command_id, status = refusal.command_id, refusal.command_status
        self._answers[command_id if command_id in CommandId._value2member_map_ else 0, status] += 1
        self._tell("smpp requests refused", source_ip, f"{refusal.reason} (0x{status:08X})")
        operation = _REFUSED.get(command_id)
        # Of who is not bound only binds: he may send thousands of other requests, and no account is to see them.
        if operation is not None and (bound is not None or command_id in MODES):
            self._refused(source_ip, refusal, bound, operation)

    def _refused(self, source_ip: str, refusal: Answered, bound: Bound | None, operation: Operation) -> None:
        access = None if bound is None else bound.access
        call = Call(
            protocol=PROTOCOL,
            source_ip=source_ip,
            login=None if access is None else access.login,
            secret=None,
            class_name=CLASS,
            method=operation.method,
            parameters={},
            request_id="-" if bound is None else f"{bound.id}-{refusal.sequence_number}",
            received_at=self._services.now(),
            operation=operation,
        )
        code = Code.NOT_PERMITTED if refusal.command_status in _OUT_OF_PLACE else Code.INCORRECT_PARAM
        detail = f"{refusal.reason} (0x{refusal.command_status:08X})"
        try:
            self.call(call, Reply(None, code, detail), access)
        except Unavailable as error:
            self._tell("refused smpp requests that cannot be logged", source_ip, str(error))

    def turned_away(self, source_ip: str, reason: str) -> None:
        """A connection was closed before it could bind."""
        self._tell("smpp connections turned away", source_ip, reason)

    def answered(self, response: Pdu) -> None:
        """A request was answered, by us or by the peer."""
        self._answers[response.command_id & ~RESPONSE_BIT, response.command_status] += 1

    def flush(self, sessions: Counter[str]) -> None:
        """Hand the numbers on; `sessions` by mode, and "unbound"."""
        for mode in (*Mode, "unbound"):
            metrics.sessions(str(mode), sessions[str(mode)])
        for (command_id, status), n in self._answers.items():
            metrics.pdus(_command(command_id), _status(status), n)
        self._answers.clear()
        for (event, source_ip, reason), n in self._told.items():
            logs.warning(event, source_ip=source_ip, reason=reason, count=n)
        self._told.clear()

    def _tell(self, event: str, source_ip: str, reason: str) -> None:
        """Have a line logged, within a second and with all that say the same: nobody is to fill the log."""
        key = event, source_ip, reason
        if key not in self._told and len(self._told) >= _REASONS:
            key = event, "several", "several"
        self._told[key] += 1


MODES = {
    int(CommandId.BIND_TRANSMITTER): Mode.TRANSMITTER,
    int(CommandId.BIND_RECEIVER): Mode.RECEIVER,
    int(CommandId.BIND_TRANSCEIVER): Mode.TRANSCEIVER,
}


@cache
def _command(command_id: int) -> str:
    # A label is a word of ours, whatever number a client sends.
    known = CommandId._value2member_map_.get(command_id)
    return "unknown" if known is None else CommandId(command_id).name.lower()


def _status(status: int) -> str:
    known = CommandStatus._value2member_map_.get(status)
    return "other" if known is None else CommandStatus(status).name
