"""Accounts, accesses and calls for tests of the pipeline, and a directory that holds them."""

from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

from gateway.pipeline.call import Call
from gateway.storage import passwords
from gateway.storage.records import Access, Account, Network

SECRET = "t7Jq0-generated-secret-Zk"
SECRET_HASH = passwords.hash_secret(SECRET)
PASSWORD = "correct horse battery"
PASSWORD_HASH = passwords.hash_password(PASSWORD)


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def an_account(**changes: Any) -> Account:
    return Account(**{"id": 7, "email": "ana@example.com", "zone": ZoneInfo("UTC")} | changes)


def an_access(**changes: Any) -> Access:
    """An access with the secret `SECRET` that may do everything from anywhere."""
    defaults = {"id": 3, "account": an_account(), "name": "shop", "login": "tl_shop", "secret": SECRET_HASH}
    return Access(**defaults | changes)


def a_call(**changes: Any) -> Call:
    """A balance query with the access's own credentials."""
    defaults = {
        "protocol": "http",
        "source_ip": "192.0.2.1",
        "login": "tl_shop",
        "secret": SECRET,
        "class_name": "user",
        "method": "getbalance",
        "parameters": {},
        "request_id": "r-1",
        "received_at": 1_800_000_000_000_000,
    }
    return Call(**defaults | changes)


class Known:
    """A directory of the accesses it was given."""

    def __init__(self, *accesses: Access) -> None:
        self.accesses = {access.login: access for access in accesses}

    def access(self, login: str) -> Access | None:
        return self.accesses.get(login)

    def check_fresh(self) -> None:
        pass
