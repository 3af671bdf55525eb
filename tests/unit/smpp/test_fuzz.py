"""A short run of the fuzzer of tests/fuzz, the same every time, and proof that it sees what is broken."""

from unittest.mock import patch

import pytest

from gateway.smpp import codec
from gateway.smpp.constants import CommandId
from tests.fuzz.smpp import Broken, Fuzzer


def test_damaged_pdus_break_nothing() -> None:
    fuzzer = Fuzzer(seed=1)
    for _ in range(2_000):
        fuzzer.throw()
    assert fuzzer.pdus > 500
    assert len(fuzzer.behaviours) > 100


def test_fuzzer_sees_a_decoder_that_raises_something_else() -> None:
    def breaks(frame: bytes, sequence_number: int, status: int) -> None:
        raise IndexError(len(frame))

    fuzzer = Fuzzer(seed=1)
    with (
        patch.dict(codec._QUICK_DECODERS, {CommandId.DELIVER_SM: breaks}),
        pytest.raises(Broken, match="IndexError"),
    ):
        for _ in range(2_000):
            fuzzer.throw()
