"""The carrier that is somebody's SMSC: we bind to it as an ESME (SMPP 3.4)."""

from collections.abc import Mapping
from pathlib import Path

from gateway.carriers import registry
from gateway.carriers.smpp.adapter import SmppCarrier
from gateway.carriers.smpp.options import SmppOptions
from gateway.storage.records import Carrier as Record

KIND = "smpp"
OPTIONS = SmppOptions
SECRETS: frozenset[str] = frozenset({"password"})


def build(record: Record, options: SmppOptions, secrets: Mapping[str, str], folder: Path) -> SmppCarrier:
    """Make the adapter; it keeps no files. Raises registry.WrongOption for a password that is missing."""
    registry.check_secrets(KIND, secrets)
    return SmppCarrier(record.name, options, secrets["password"])
