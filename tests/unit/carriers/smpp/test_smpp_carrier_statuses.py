"""What becomes of a segment by command_status: every status of the standard, others, and overrides."""

import pytest

from gateway.carriers.base import ERROR_LENGTH, Final, NextRoute, Outcome, Retry, Throttled
from gateway.carriers.smpp.statuses import COURSES, Course, Table, describe, read
from gateway.smpp.constants import CommandStatus

EXPECTED: list[tuple[str, type[Outcome]]] = [
    ("ESME_RINVMSGLEN", Final),
    ("ESME_RINVCMDLEN", NextRoute),
    ("ESME_RINVCMDID", NextRoute),
    ("ESME_RINVBNDSTS", Retry),
    ("ESME_RALYBND", Retry),
    ("ESME_RINVPRTFLG", NextRoute),
    ("ESME_RINVREGDLVFLG", NextRoute),
    ("ESME_RSYSERR", Retry),
    ("ESME_RINVSRCADR", NextRoute),
    ("ESME_RINVDSTADR", NextRoute),
    ("ESME_RINVMSGID", NextRoute),
    ("ESME_RBINDFAIL", Retry),
    ("ESME_RINVPASWD", Retry),
    ("ESME_RINVSYSID", Retry),
    ("ESME_RCANCELFAIL", NextRoute),
    ("ESME_RREPLACEFAIL", NextRoute),
    ("ESME_RMSGQFUL", Throttled),
    ("ESME_RINVSERTYP", NextRoute),
    ("ESME_RINVNUMDESTS", NextRoute),
    ("ESME_RINVDLNAME", NextRoute),
    ("ESME_RINVDESTFLAG", NextRoute),
    ("ESME_RINVSUBREP", NextRoute),
    ("ESME_RINVESMCLASS", NextRoute),
    ("ESME_RCNTSUBDL", NextRoute),
    ("ESME_RSUBMITFAIL", Retry),
    ("ESME_RINVSRCTON", NextRoute),
    ("ESME_RINVSRCNPI", NextRoute),
    ("ESME_RINVDSTTON", NextRoute),
    ("ESME_RINVDSTNPI", NextRoute),
    ("ESME_RINVSYSTYP", NextRoute),
    ("ESME_RINVREPFLAG", NextRoute),
    ("ESME_RINVNUMMSGS", NextRoute),
    ("ESME_RTHROTTLED", Throttled),
    ("ESME_RINVSCHED", NextRoute),
    ("ESME_RINVEXPIRY", NextRoute),
    ("ESME_RINVDFTMSGID", NextRoute),
    ("ESME_RX_T_APPN", Retry),
    ("ESME_RX_P_APPN", NextRoute),
    ("ESME_RX_R_APPN", Final),
    ("ESME_RQUERYFAIL", NextRoute),
    ("ESME_RINVOPTPARSTREAM", NextRoute),
    ("ESME_ROPTPARNOTALLWD", NextRoute),
    ("ESME_RINVPARLEN", NextRoute),
    ("ESME_RMISSINGOPTPARAM", NextRoute),
    ("ESME_RINVOPTPARAMVAL", NextRoute),
    ("ESME_RDELIVERYFAILURE", Final),
    ("ESME_RUNKNOWNERR", Retry),
]


@pytest.mark.parametrize(("name", "kind"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_every_status_of_the_standard(name: str, kind: type[Outcome]) -> None:
    status = CommandStatus[name]
    outcome = Table().outcome(status)
    assert type(outcome) is kind
    assert outcome.error == f"{name} (0x{status:02X})"  # type: ignore[union-attr]


def test_no_status_is_left_out() -> None:
    assert {name for name, _ in EXPECTED} == {status.name for status in CommandStatus} - {"ESME_ROK"}
    assert set(COURSES) == set(CommandStatus) - {CommandStatus.ESME_ROK}


@pytest.mark.parametrize("status", [0x09, 0x100, 0x400, 0x4FF, 0xFFFFFFFF], ids=hex)
def test_other_statuses(status: int) -> None:
    assert Table().outcome(status) == Retry(f"command_status 0x{status:08X}")
    assert len(describe(status)) <= ERROR_LENGTH


OVERRIDES = [
    pytest.param("0x0B:final", 0x0B, Course.FINAL, id="hexadecimal"),
    pytest.param("11:final", 0x0B, Course.FINAL, id="decimal"),
    pytest.param("0x0b:FINAL , 0x45:Next", 0x45, Course.NEXT, id="several, spaces and capitals"),
    pytest.param("0x0B:final", 0x45, Course.RETRY, id="another stays"),
    pytest.param("0x58:retry", 0x58, Course.RETRY, id="throttled no more"),
    pytest.param("0x400-0x4FF:throttle", 0x400, Course.THROTTLE, id="a range's first"),
    pytest.param("0x400-0x4FF:throttle", 0x4FF, Course.THROTTLE, id="a range's last"),
    pytest.param("0x400-0x4FF:throttle", 0x500, Course.RETRY, id="beyond a range"),
    pytest.param("0x400-0x4FF:next,0x410:final", 0x410, Course.FINAL, id="one of a range"),
    pytest.param("0x410:final,0x400-0x4FF:next", 0x410, Course.NEXT, id="the later one holds"),
    pytest.param("0x400-0x4FF:next,0x400-0x40F:final", 0x401, Course.FINAL, id="the later range holds"),
    pytest.param("0x01-0xFF:next", 0x08, Course.NEXT, id="a range over the standard's"),
    pytest.param("other:final", 0x400, Course.FINAL, id="others"),
    pytest.param("other:final", 0x08, Course.RETRY, id="others are not the standard's"),
    pytest.param("", 0x08, Course.RETRY, id="none"),
    pytest.param(",", 0x08, Course.RETRY, id="nothing between commas"),
]


@pytest.mark.parametrize(("overrides", "status", "course"), OVERRIDES)
def test_overrides(overrides: str, status: int, course: Course) -> None:
    assert Table(overrides).course(status) is course


WRONG = [
    ("0x0B", "'0x0b' is no rule: it is written STATUS:COURSE, as in 0x0B:final"),
    ("0x0B:lost", "'lost' in '0x0b:lost' is none of throttle, retry, next, final"),
    ("0:final", "'0' in '0:final' is no status of an error"),
    ("0x1FFFFFFFF:final", "'0x1ffffffff' in '0x1ffffffff:final' is no status of an error"),
    ("0B:final", "'0b' in '0b:final' is no number; hexadecimal ones begin with 0x"),
    ("0x20-0x10:next", "the range of '0x20-0x10:next' ends before it begins"),
    ("other-0x10:next", "'other-0x10:next' is no rule: other stands alone"),
]


@pytest.mark.parametrize(("overrides", "problem"), WRONG, ids=[text for text, _ in WRONG])
def test_rules_that_are_wrong(overrides: str, problem: str) -> None:
    with pytest.raises(ValueError) as raised:
        list(read(overrides))
    assert str(raised.value) == problem
