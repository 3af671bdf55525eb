"""The options of a carrier of the kind smpp, as an operator gives them."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from gateway.carriers import base
from gateway.carriers.smpp.addressing import Rewriting
from gateway.carriers.smpp.statuses import Table

Octet = Annotated[int, Field(ge=0, le=255)]
Seconds = Annotated[float, Field(ge=0.1, le=3600)]


class SmppOptions(base.Options):
    """Options of a carrier of the kind smpp; its `password` is a secret and kept apart."""

    host: str = Field(min_length=1, max_length=255, pattern=r"^[!-~]+$", description="The SMSC's name or address.")
    port: int = Field(2775, ge=1, le=65535, description="The SMSC's port.")
    system_id: str = Field(max_length=254, pattern=r"^[ -~]*$", description="Who we are there.")
    system_type: str = Field("", max_length=12, pattern=r"^[ -~]*$", description="The system_type of a bind.")
    address_range: str = Field("", max_length=40, pattern=r"^[ -~]*$", description="The address_range of a bind.")
    address_ton: Octet = Field(0, description="The addr_ton of a bind.")
    address_npi: Octet = Field(0, description="The addr_npi of a bind.")
    bind: Literal["transceiver", "separate", "transmitter", "receiver"] = Field(
        "transceiver",
        description="How a link is bound: as a transceiver; as a transmitter and a receiver on connections of their"
        " own (separate); or as only one of the two.",
    )
    links: int = Field(1, ge=1, le=50, description="How many links are held at once; of separate ones, pairs.")
    window: int = Field(
        10, ge=1, le=5000, description="Most segments without an answer, on each link (SMPP 3.4, 2.9, suggests 10)."
    )

    tls: bool = Field(False, description="Whether to connect by TLS.")
    tls_ca: str = Field(
        "",
        max_length=4096,
        description="A file of certificates (PEM) that may sign the SMSC's; the system's own unless given.",
    )
    tls_verify: bool = Field(True, description="Whether the SMSC's certificate and its name are checked.")
    tls_name: str = Field(
        "", max_length=255, description="The name in the SMSC's certificate where it is not `host`."
    )

    source_ton: Octet | None = Field(
        None, description="The type of number of every sender; found by itself unless given."
    )
    source_npi: Octet | None = Field(None, description="The numbering plan of every sender; likewise.")
    destination_ton: Octet | None = Field(None, description="The type of number of every destination; likewise.")
    destination_npi: Octet | None = Field(None, description="The numbering plan of every destination; likewise.")
    source_rewrite: str = Field(
        "",
        max_length=4096,
        description="Rules that change senders, PATTERN=REPLACEMENT divided by semicolons: the first whose regular"
        r" expression fits the whole sender applies; \1 stands for its first group.",
    )
    service_type: str = Field("", max_length=5, pattern=r"^[ -~]*$", description="The service_type of a submit_sm.")
    alphabet: Literal["gsm", "latin1", "utf8"] = Field(
        "gsm",
        description="What data_coding 0 stands for there: the GSM alphabet with a septet in each octet, Latin-1"
        " (what is not in it goes as UCS-2, or as a question mark where that would be too long), or UTF-8.",
    )
    long: Literal["udh", "sar", "payload"] = Field(
        "udh",
        description="How a long text goes: in parts with a user data header, in parts with the TLVs sar_*, or whole"
        " in the TLV message_payload.",
    )
    validity: Literal["absolute", "relative", "none"] = Field(
        "absolute", description="How validity_period is written, or that it is left out."
    )
    registered_delivery: Octet = Field(
        1, description="The registered_delivery of a submit_sm: 1 asks for a receipt, 0 for none."
    )

    ids: Literal["auto", "same", "exact", "hex-decimal", "decimal-hex"] = Field(
        "auto",
        description="How receipts write a message's id: as the answer did but for case and leading zeros (same), to"
        " the letter (exact), in decimal where answers are hexadecimal (hex-decimal), in hexadecimal where answers"
        " are decimal (decimal-hex), or whichever of these fits (auto).",
    )
    errors: str = Field(
        "",
        max_length=4096,
        description="What becomes of a refusal, where it differs from the table below: STATUS:COURSE divided by"
        " commas, as in 0x0B:final,0x400-0x4FF:next,other:retry.",
    )

    connect_timeout: Seconds = Field(10, description="Seconds until a connection has to stand and be bound.")
    response_timeout: Seconds = Field(30, description="Seconds until a request counts as not answered.")
    enquire_link: float = Field(
        30, ge=0, le=3600, description="Seconds of silence until the SMSC is asked whether it lives; 0 never."
    )
    reconnect: Seconds = Field(1, description="Seconds until a lost link is tried again, at first.")
    reconnect_most: Seconds = Field(60, description="The most that these seconds grow to, doubling.")

    @field_validator("errors")
    @classmethod
    def _errors(cls, value: str) -> str:
        Table(value)
        return value

    @field_validator("source_rewrite")
    @classmethod
    def _source_rewrite(cls, value: str) -> str:
        Rewriting(value)
        return value
