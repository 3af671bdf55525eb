"""What becomes of a segment by the command_status of its submit_sm_resp (SMPP 3.4, section 5.1.3).

One table for every carrier; an operator overrides it for one carrier by the option `errors`.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from gateway.carriers.base import Final, NextRoute, Outcome, Retry, Throttled
from gateway.smpp.constants import CommandStatus


class Course(StrEnum):
    """What is done about a refusal."""

    THROTTLE = "throttle"
    """The same again in a moment, and the carrier as a whole slower."""
    RETRY = "retry"
    """The same carrier again later."""
    NEXT = "next"
    """The next route; refused for good where there is none."""
    FINAL = "final"
    """Refused for good."""


COURSES: Mapping[int, Course] = MappingProxyType(
    {
        CommandStatus.ESME_RINVMSGLEN: Course.FINAL,
        CommandStatus.ESME_RINVCMDLEN: Course.NEXT,
        CommandStatus.ESME_RINVCMDID: Course.NEXT,
        CommandStatus.ESME_RINVBNDSTS: Course.RETRY,
        CommandStatus.ESME_RALYBND: Course.RETRY,
        CommandStatus.ESME_RINVPRTFLG: Course.NEXT,
        CommandStatus.ESME_RINVREGDLVFLG: Course.NEXT,
        CommandStatus.ESME_RSYSERR: Course.RETRY,
        CommandStatus.ESME_RINVSRCADR: Course.NEXT,
        CommandStatus.ESME_RINVDSTADR: Course.NEXT,
        CommandStatus.ESME_RINVMSGID: Course.NEXT,
        CommandStatus.ESME_RBINDFAIL: Course.RETRY,
        CommandStatus.ESME_RINVPASWD: Course.RETRY,
        CommandStatus.ESME_RINVSYSID: Course.RETRY,
        CommandStatus.ESME_RCANCELFAIL: Course.NEXT,
        CommandStatus.ESME_RREPLACEFAIL: Course.NEXT,
        CommandStatus.ESME_RMSGQFUL: Course.THROTTLE,
        CommandStatus.ESME_RINVSERTYP: Course.NEXT,
        CommandStatus.ESME_RINVNUMDESTS: Course.NEXT,
        CommandStatus.ESME_RINVDLNAME: Course.NEXT,
        CommandStatus.ESME_RINVDESTFLAG: Course.NEXT,
        CommandStatus.ESME_RINVSUBREP: Course.NEXT,
        CommandStatus.ESME_RINVESMCLASS: Course.NEXT,
        CommandStatus.ESME_RCNTSUBDL: Course.NEXT,
        CommandStatus.ESME_RSUBMITFAIL: Course.RETRY,
        CommandStatus.ESME_RINVSRCTON: Course.NEXT,
        CommandStatus.ESME_RINVSRCNPI: Course.NEXT,
        CommandStatus.ESME_RINVDSTTON: Course.NEXT,
        CommandStatus.ESME_RINVDSTNPI: Course.NEXT,
        CommandStatus.ESME_RINVSYSTYP: Course.NEXT,
        CommandStatus.ESME_RINVREPFLAG: Course.NEXT,
        CommandStatus.ESME_RINVNUMMSGS: Course.NEXT,
        CommandStatus.ESME_RTHROTTLED: Course.THROTTLE,
        CommandStatus.ESME_RINVSCHED: Course.NEXT,
        CommandStatus.ESME_RINVEXPIRY: Course.NEXT,
        CommandStatus.ESME_RINVDFTMSGID: Course.NEXT,
        CommandStatus.ESME_RX_T_APPN: Course.RETRY,
        CommandStatus.ESME_RX_P_APPN: Course.NEXT,
        CommandStatus.ESME_RX_R_APPN: Course.FINAL,
        CommandStatus.ESME_RQUERYFAIL: Course.NEXT,
        CommandStatus.ESME_RINVOPTPARSTREAM: Course.NEXT,
        CommandStatus.ESME_ROPTPARNOTALLWD: Course.NEXT,
        CommandStatus.ESME_RINVPARLEN: Course.NEXT,
        CommandStatus.ESME_RMISSINGOPTPARAM: Course.NEXT,
        CommandStatus.ESME_RINVOPTPARAMVAL: Course.NEXT,
        CommandStatus.ESME_RDELIVERYFAILURE: Course.FINAL,
        CommandStatus.ESME_RUNKNOWNERR: Course.RETRY,
    }
)
"""The course of every error of SMPP 3.4."""

OTHER = Course.RETRY
"""The course of every other status: vendors' own errors may be of the moment."""

_RULE = re.compile(r"(other|[0-9a-fx]+)(?:-([0-9a-fx]+))?:([a-z]+)")
_MOST = 0xFFFF_FFFF


class Table:
    """What a carrier's statuses mean to us: the table of this module with the carrier's overrides."""

    def __init__(self, overrides: str = "") -> None:
        """Read overrides as the option `errors` gives them (see `read`). Raises ValueError."""
        self._single = {int(status): course for status, course in COURSES.items()}
        self._ranges: list[tuple[int, int, Course]] = []
        self._other = OTHER
        for first, last, course in read(overrides):
            if first < 0:
                self._other = course
            elif first == last:
                self._single[first] = course
            else:
                for code in [code for code in self._single if first <= code <= last]:
                    self._single[code] = course
                self._ranges.append((first, last, course))

    def course(self, status: int) -> Course:
        """The course that is taken on a status that is not 0."""
        found = self._single.get(status)
        if found is not None:
            return found
        # Of two ranges that overlap the later one holds, as with single statuses.
        return next(
            (course for first, last, course in reversed(self._ranges) if first <= status <= last), self._other
        )

    def outcome(self, status: int) -> Outcome:
        """What dispatch is told of a status that is not 0."""
        return _outcome(status, self.course(status))


def describe(status: int) -> str:
    """A status as it is stored and logged: ``ESME_RINVDSTADR (0x0B)``, or only the number where it has no name."""
    try:
        return f"{CommandStatus(status).name} (0x{status:02X})"
    except ValueError:
        return f"command_status 0x{status:08X}"


def read(overrides: str) -> Iterable[tuple[int, int, Course]]:
    """Read ``0x0B:final,0x400-0x4FF:next,other:retry``: rows of first status, last status and course.

    Statuses are hexadecimal with ``0x``, else decimal; `other`, given as -1, stands for every status without a
    course of its own. Raises ValueError, its text naming the rule that is wrong.
    """
    rows = []
    for rule in filter(None, (part.strip().lower() for part in overrides.split(","))):
        found = _RULE.fullmatch(rule)
        if found is None:
            raise ValueError(f"{rule!r} is no rule: it is written STATUS:COURSE, as in 0x0B:final")
        first, last, course = found.groups()
        if course not in set(Course):
            raise ValueError(f"{course!r} in {rule!r} is none of {', '.join(Course)}")
        if first == "other":
            if last is not None:
                raise ValueError(f"{rule!r} is no rule: other stands alone")
            rows.append((-1, -1, Course(course)))
            continue
        low = _number(first, rule)
        high = low if last is None else _number(last, rule)
        if high < low:
            raise ValueError(f"the range of {rule!r} ends before it begins")
        rows.append((low, high, Course(course)))
    return rows


def _number(text: str, rule: str) -> int:
    try:
        number = int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        raise ValueError(f"{text!r} in {rule!r} is no number; hexadecimal ones begin with 0x") from None
    if not 1 <= number <= _MOST:
        raise ValueError(f"{text!r} in {rule!r} is no status of an error")
    return number


@cache
def _outcome(status: int, course: Course) -> Outcome:
    error = describe(status)
    match course:
        case Course.THROTTLE:
            return Throttled(error)
        case Course.RETRY:
            return Retry(error)
        case Course.NEXT:
            return NextRoute(error)
        case Course.FINAL:
            return Final(error)
