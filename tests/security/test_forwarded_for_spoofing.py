"""Passing for another address by writing X-Forwarded-For."""

import pytest

from tests.security.conftest import OFFICE, STRANGER, Site

PROXY = "10.0.0.5"

SPOOFS = [
    ("from a stranger", STRANGER, {"X-Forwarded-For": OFFICE}),
    ("from a stranger who names our proxy", STRANGER, {"X-Forwarded-For": f"{OFFICE}, {PROXY}"}),
    ("before what the proxy adds", PROXY, {"X-Forwarded-For": f"{OFFICE}, {STRANGER}"}),
    ("before a proxy of the stranger's own", PROXY, {"X-Forwarded-For": f"{OFFICE}, {PROXY}, {STRANGER}"}),
    ("in two lines", PROXY, {"X-Forwarded-For": f"{OFFICE},{STRANGER}"}),
    ("in a header of another kind", PROXY, {"X-Forwarded-For": STRANGER, "Forwarded": f"for={OFFICE}"}),
    ("without the one we read", PROXY, {"Forwarded": f"for={OFFICE}", "X-Real-IP": OFFICE}),
    ("as garbage", PROXY, {"X-Forwarded-For": f"{OFFICE}, ' OR 1=1"}),
]


@pytest.mark.parametrize(("peer", "headers"), [c[1:] for c in SPOOFS], ids=[c[0] for c in SPOOFS])
def test_a_spoofed_address_is_not_believed(site: Site, peer: str, headers: dict[str, str]) -> None:
    assert site.outcome("tl_office", site.secret, peer, headers=headers) == "IP_NOT_ALLOWED"
    (entry,) = site.logged()
    assert entry["source_ip"] in (STRANGER, PROXY)


def test_what_our_proxy_says_is_believed(site: Site) -> None:
    headers = {"X-Forwarded-For": f"{STRANGER}, {OFFICE}"}
    assert site.outcome("tl_office", site.secret, PROXY, headers=headers) == "SUCCESS"
    (entry,) = site.logged()
    assert entry["source_ip"] == OFFICE


def test_writing_many_addresses_gives_no_more_guesses(site: Site) -> None:
    outcomes = [
        site.outcome("tl_open", f"guess {n}", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(12)
    ]
    assert outcomes[-2:] == ["TOO_MANY_REQUESTS"] * 2
