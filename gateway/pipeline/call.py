"""A call as every front end makes it, and the reply that every front end renders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, Protocol

from gateway.operations.catalogue import Operation
from gateway.operations.errors import Code, Refusal
from gateway.storage.records import Access


class Proof(Protocol):
    """What proves who calls where that is no login and secret: a token."""

    def access(self, source_ip: str) -> Access:
        """Give the access that this proves, as it is now. Raises `Refusal` where it proves none or not from there."""
        ...


@dataclass(slots=True)
class Call:
    """One invocation of an operation.

    `login` and `secret` are None when not given. `parameters` holds every parameter but the credentials,
    `class` and `method`. `problem` is what the front end found wrong while reading the parameters; it is
    answered at its place in the precedence of errors, so a stranger learns nothing from it; `unreadable` says
    that what seems missing may have been in the part that could not be read. `access` is set
    by a front end that has authenticated already (an SMPP session). Times: `received_at` in UTC microseconds,
    `started` in the process's own nanoseconds.

    Of front ends whose credentials are no parameters: `proof` stands in place of login and secret (`secret` is
    then its text, to be kept out of the log), `unproven` says why there is neither. `operation` is one that is
    in no catalogue, such as asking for a token; permissions name no such, so any access may use it. `statuses`
    are the HTTP statuses of the errors, for the log, where `http_status` is that of a success.
    """

    protocol: str
    source_ip: str
    login: str | None
    secret: str | None = field(repr=False)
    class_name: str | None
    method: str | None
    parameters: Mapping[str, str]
    request_id: str
    received_at: int
    user_agent: str = ""
    problem: Refusal | None = None
    access: Access | None = None
    http_status: int | None = None
    unreadable: bool = False
    proof: Proof | None = None
    unproven: Refusal | None = None
    operation: Operation | None = None
    statuses: Mapping[Code, int] | None = None
    started: int = field(default_factory=perf_counter_ns)


@dataclass(frozen=True, slots=True)
class Reply:
    """SUCCESS with a result, or ERROR with a code and one sentence."""

    result: Any = None
    error: Code | None = None
    detail: str | None = None

    @property
    def outcome(self) -> str:
        """SUCCESS or the error's code: what the log and the metrics call it."""
        return "SUCCESS" if self.error is None else self.error.value
