"""Every setting: its name, default, unit and meaning. docs/settings.md is generated from here."""

import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """What the installation is told from outside. An option wins over a variable, a variable over the file."""

    model_config = SettingsConfigDict(env_prefix="TRUNKLINE_", frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="Folder of everything that is kept: database, key file, logs.")
    http: str = Field("127.0.0.1:8080", description="HOST:PORT of the web server.")
    smpp: str = Field("127.0.0.1:2775", description="HOST:PORT of the SMPP server.")
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
        description="What data_coding 0 of SMPP customers means: gsm (GSM 03.38, an octet a character), latin1, utf8.",
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
    log_level: str = Field("info", description="debug, info, warning or error.")
    log_format: str = Field("auto", description="console, json, or auto: console on a terminal.")

    @field_validator("trusted_proxies", "metrics_networks", "allow_plaintext", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

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
