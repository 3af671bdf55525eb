"""Examples and strategies of SMPP PDUs, for the tests of the codec and its fuzzer."""

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from gateway.smpp.constants import Tag
from gateway.smpp.pdu import PDUS, DistributionList, Pdu, SmeAddress, UnsuccessSme

KINDS: list[type[Pdu]] = list(PDUS.values())

octets = st.integers(0, 0xFF)
words = st.integers(0, 0xFFFFFFFF)
texts = st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=64)
tags = st.one_of(st.sampled_from([int(tag) for tag in Tag]), st.integers(0, 0xFFFF))
tlv_maps = st.dictionaries(tags, st.binary(max_size=80), max_size=4)
sme_addresses = st.builds(SmeAddress, octets, octets, texts)
destinations = st.one_of(sme_addresses, st.builds(DistributionList, texts))
refused = st.builds(UnsuccessSme, octets, octets, texts, words)

# By the annotation of the dataclass' field: what the standard's types are in Python.
_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: octets,
    bytes: st.binary(max_size=254),
    list[SmeAddress | DistributionList]: st.lists(destinations, max_size=6),
    list[UnsuccessSme]: st.lists(refused, max_size=6),
}
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {"tlvs": tlv_maps, "sequence_number": words, "command_status": words}


def pdus(kind: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """Any PDU of a kind that the wire can carry."""
    return st.builds(
        kind, **{one.name: _BY_NAME[one.name] if one.name in _BY_NAME else _BY_TYPE[one.type] for one in fields(kind)}
    )


any_pdus = st.sampled_from(KINDS).flatmap(pdus)
