"""Every setting: its name, default, unit and meaning. docs/settings.md is generated from here."""

import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# fmt: off
Language = Literal[
    "ar", "ca", "cs", "da", "de", "el", "en", "es", "eu", "fi", "fr", "gl", "it", "nl", "no", "pl", "pt", "ro", "ru",
    "sv", "tr", "uk",
]
# fmt: on
Word = Annotated[str, Field(pattern=r"[\p{L}\p{N}]", max_length=100)]


class Settings(BaseSettings):
    """What the installation is told from outside. An option wins over a variable, a variable over the file."""

    model_config = SettingsConfigDict(env_prefix="TRUNKLINE_", frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="Folder of everything that is kept: database, key file, logs.")
    http: str = Field("127.0.0.1:8080", description="HOST:PORT of the web server.")
    smpp: str = Field(
        "127.0.0.1:2775", description="HOST:PORT of the SMPP server; empty: `trunkline run` starts no SMPP server."
    )
    smpp_tls: str = Field(
        "127.0.0.1:3550", description="HOST:PORT of the SMPP server with TLS; used where there is a certificate."
    )
    smpp_certificate: Path | None = Field(
        None,
        description="PEM file of the SMPP server's certificate with its chain. A renewed file is taken up by itself.",
    )
    smpp_key: Path | None = Field(
        None, validate_default=True, description="PEM file of that certificate's private key, without a password."
    )
    smpp_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks, comma separated, that may connect to the SMPP server at all; empty: any."
    )
    smpp_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Networks, comma separated, of proxies before the SMPP server. Their connections must begin with"
        " a header of the PROXY protocol, version 1 or 2, which says where the customer is.",
    )
    smpp_system_id: str = Field(
        "Trunkline",
        min_length=1,
        max_length=15,
        pattern=r"^[!-~]+$",
        description="The system_id of our bind responses.",
    )
    smpp_session_init: float = Field(
        10, gt=0, le=300, description="Seconds that an SMPP client has from connecting until it is bound."
    )
    smpp_enquire_link: float = Field(
        30, ge=0, le=3600, description="Seconds of silence after which we send an enquire_link; 0: never."
    )
    smpp_inactivity: float = Field(
        120,
        ge=0,
        le=86_400,
        description="Seconds of silence, answers to enquire_link counted as sound, after which an SMPP session is"
        " ended; 0: never.",
    )
    smpp_response: float = Field(
        30,
        gt=0,
        le=300,
        description="Seconds that an SMPP client has to answer a deliver_sm, an unbind, an enquire_link.",
    )
    smpp_window: int = Field(
        10, ge=1, le=1000, description="Most deliver_sm without an answer on one session; more wait for their turn."
    )
    smpp_pending: int = Field(
        1000, ge=1, le=100_000, description="Requests of one session without our answer at which we stop reading it."
    )
    smpp_max_sessions: int = Field(
        2000, ge=1, le=100_000, description="Most connections to the SMPP server; more are closed at once."
    )
    smpp_max_unbound: int = Field(
        1000, ge=1, le=100_000, description="Most of them that are not bound; for one more the oldest such is closed."
    )
    smpp_binds: int = Field(
        100, ge=0, description="Most SMPP sessions of an access that has no limit of its own; 0: any number."
    )
    database_url: str = Field("", description="postgresql://… ; empty is SQLite in the data folder.")
    public_url: str = Field("", description="How customers reach the web server, e.g. https://sms.example.com.")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks, comma separated, whose X-Forwarded-For is believed."
    )
    allow_plaintext: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="Protocols (http, smpp), comma separated, that may listen off loopback without TLS.",
    )
    metrics_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks, comma separated, that may read /metrics besides this machine."
    )
    web_workers: int = Field(2, ge=1, le=64, description="Processes of the web server.")
    default_sender: str = Field("Trunkline", description="Sender where neither the call nor the account names one.")
    max_batch: int = Field(100_000, ge=1, le=1_000_000, description="Most contacts of one bulk send.")
    max_body: int = Field(1_048_576, ge=1024, description="Largest request body, in bytes.")
    max_segments: int = Field(10, ge=1, le=255, description="Most segments of one message.")
    validity_hours: int = Field(48, ge=1, description="How long a carrier may try to deliver, in hours.")
    smpp_default_alphabet: Literal["gsm", "latin1", "utf8"] = Field(
        "gsm",
        description="What data_coding 0 of SMPP customers means: gsm (GSM 03.38, an octet a character), latin1 or"
        " utf8.",
    )
    writer_queue: int = Field(10_000, ge=1, description="Most calls waiting for one commit in a process.")
    writer_batch: int = Field(500, ge=1, description="Most calls written in one transaction.")
    access_token_seconds: int = Field(
        900, ge=60, le=3600, description="How long an access token of the JWT front end is valid, in seconds."
    )
    refresh_token_days: int = Field(
        30, ge=1, le=365, description="How long a refresh token can be used, once, to get new tokens, in days."
    )
    log_retention_days: int = Field(90, ge=1, description="How long the log of calls is kept, in days.")
    message_retention_days: int = Field(400, ge=1, description="How long finished messages are kept, in days.")
    optout_languages: Annotated[frozenset[Language], NoDecode] = Field(
        frozenset(),
        description="Languages, comma separated (en, es, fr …), whose words for STOP and START are heeded in messages"
        " that come in; empty: all that are known.",
    )
    optout_words: Annotated[frozenset[Word], NoDecode] = Field(
        frozenset(), description="Words, comma separated, that stop as STOP does, beside those of the languages."
    )
    optin_words: Annotated[frozenset[Word], NoDecode] = Field(
        frozenset(), description="Words, comma separated, that take a STOP back as START does."
    )
    inbound_repeat_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="Seconds within which the same message from the same sender by the same carrier is taken for one"
        " that the carrier sent again, and stored once; 0: never.",
    )
    log_level: str = Field("info", description="debug, info, warning or error.")
    log_format: str = Field("auto", description="console, json, or auto: console on a terminal.")

    @field_validator(
        "trusted_proxies",
        "metrics_networks",
        "allow_plaintext",
        "smpp_networks",
        "smpp_proxies",
        "optout_languages",
        "optout_words",
        "optin_words",
        mode="before",
    )
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("smpp_key")
    @classmethod
    def _with_certificate(cls, value: Path | None, given: ValidationInfo) -> Path | None:
        if (value is None) != (given.data.get("smpp_certificate") is None):
            raise ValueError("smpp_certificate and smpp_key are given together or not at all")
        return value

    @property
    def smpp_secure(self) -> bool:
        """Whether the SMPP server also listens with TLS."""
        return self.smpp_certificate is not None

    @property
    def url(self) -> str:
        """The database's URL, the embedded default filled in."""
        return self.database_url or f"sqlite:///{(self.data / 'trunkline.db').absolute()}"

    @property
    def audience(self) -> str:
        """Whom tokens are for, and who made ours: the public URL without a slash at its end, or "trunkline"."""
        return self.public_url.rstrip("/") or "trunkline"

    @classmethod
    def load(cls, options: dict[str, Any] | None = None, file: Path | None = None) -> Self:
        """Read the settings: `options` (None values are not given) over TRUNKLINE_* over the TOML `file`."""
        given = {name: value for name, value in (options or {}).items() if value is not None}
        from_file = tomllib.loads(file.read_text("utf-8")) if file else {}
        variables = cls().model_dump(exclude_unset=True)
        return cls(**{**from_file, **variables, **given})
