"""What Kannel's programs print."""

import pytest

from bench import kannel

STATUS = """\
Status: running, uptime 0d 0h 0m 9s

WDP: received 0 (0 queued), sent 0 (0 queued)

SMS: received 3 (0 queued), sent 29109 (12 queued), store size 45
SMS: inbound (0.00,0.00,0.00) msg/sec, outbound (3232.27,3232.27,3232.27) msg/sec
"""


def test_status_page() -> None:
    assert kannel.parse_status(STATUS) == (29109, 12, 45)


def test_what_is_no_status_page_is_an_error() -> None:
    with pytest.raises(kannel.KannelFailed):
        kannel.parse_status("Denied")


def test_rate_that_the_carrier_saw() -> None:
    log = (
        "INFO: fakesmsc: total running time 8.0 seconds\n"
        "INFO: fakesmsc: from first to last received message 3.0 s, 9639.7 msgs/s\n"
    )
    assert kannel.parse_carrier(log) == 9639.7


def test_carrier_that_received_nothing_is_an_error() -> None:
    with pytest.raises(kannel.KannelFailed):
        kannel.parse_carrier("INFO: fakesmsc: terminating\n")
