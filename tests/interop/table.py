"""Run the tests of the clients that others wrote, and write docs/interoperability.md of what they saw.

Run as `python -m tests.interop.table`, with pytest's options if any. The page is written when all tests of the table
ran and passed, and stays as it was otherwise.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.interop import outside
from tests.interop.cells import Cell
from tests.interop.conftest import HERE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "interoperability.md"

HEAD = """# Interoperability

Clients that others wrote, against the running gateway. `make test-interop` installs them, runs every cell of these
tables as a test and writes this page of it. A number instead of *yes* is something that a client cannot do; the tests
hold it to that as well. The same command runs the packages `afilnet` of npm and PyPI, the examples of every operation
in six languages, and schemathesis against the OpenAPI document.
"""

TABLES = {
    "SOAP": """## SOAP

Each reads the WSDL from the gateway and calls by it; SOAP::Lite reads it too, and is called by hand.

- *list in a list* is one in each item of another inside the result; *list of one* does not become a single value.
- *Fault* arrives as the client's own exception, with our code and sentence.
- *big ids* are beyond 2^53 and 2^64; *decimals* are amounts of 15 digits.
- *dates* are the same moment, offset and all.
- *non-ASCII text* goes there and comes back, with a line break, emoji and `]]>` in it.
- *UsernameToken* and *HTTP Basic*: credentials in a WS-Security header (PasswordText) and in `Authorization`;
  everything else is called with the elements `user` and `password`.

Two settings are worth knowing: PHP keeps a list of one a list with `SOAP_SINGLE_ELEMENT_ARRAYS`, and the npm package
`soap` keeps all digits of an amount with `customDeserializer: {decimal: (text) => text}`. gSOAP is built with
`soapcpp2 -1` and `-2`, JAX-WS with `wsimport -extension`. For HTTP Basic suds needs its transport `HttpAuthenticated`
of `suds.transport.http`, which does not wait for a 401. zeep, suds and the two npm packages have a UsernameToken of
their own; PHP, JAX-WS, gSOAP and SOAP::Lite are given the header as any other.
""",
    "Basic and JWT": """## HTTP Basic and JWT

*refused* is 401 with its challenge; *refresh* trades a refresh token and has it refused the second time. JSON has one
kind of number, which most readers keep to 15 digits: *decimals* has so many. Python keeps more with
`json.loads(text, parse_float=Decimal)`.
""",
    "Own keys": """## Tokens signed with a key of one's own

The public key is registered with `trunkline access key add`, and the token goes with each call.
""",
    "SMPP customers": """## SMPP: customers that bind to us

Each binds with an access of its own for SMPP alone. *three parts* has a user data header in each and three receipts;
*refused PDUs* are replace_sm and data_sm, answered with their own response; *link cut* ends the connection in the
middle of a window: what was acknowledged is there, and its receipts come with the next bind. Kannel cuts long texts
by itself and sends no other requests, so those cells are empty.
""",
    "SMPP carriers": """## SMPP: carriers that we bind to

An SMSC by its ways to name a message: in its answer, and again in the receipt. *throttled* and *again* are answers
after which the message is sent again, *refused* is final.
""",
}


class Recorder:
    """A pytest plugin that keeps the cells of the tests that passed."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.cells += [value for name, value in report.user_properties if name == "cell"]


def main(options: list[str]) -> int:
    """Install, run, write; give the exit code."""
    if outside.main():
        return 1
    recorder = Recorder()
    status = int(pytest.main([str(HERE), *options], plugins=[recorder]))
    if status == 0 and not options:
        PAGE.write_text(page(recorder.cells))
    return status


def page(cells: Iterable[Cell]) -> str:
    """The whole page."""
    found = list(cells)
    parts = [HEAD]
    for door, text in TABLES.items():
        parts += [text, _table([cell for cell in found if cell.door == door])]
    return "\n".join(parts)


def _table(cells: list[Cell]) -> str:
    checks = list(dict.fromkeys(cell.check for cell in cells))
    lines = list(dict.fromkeys((cell.client, cell.variant) for cell in cells))
    reasons = list(dict.fromkeys((cell.client, cell.limit) for cell in cells if cell.limit))
    at = {(cell.client, cell.variant, cell.check): cell for cell in cells}
    rows = [["client", "", *checks], ["---"] * (len(checks) + 2)]
    for client, variant in lines:
        # A version that a client cannot speak at all has one cell, which stands for all.
        cells_here = [cell for cell in cells if (cell.client, cell.variant) == (client, variant)]
        whole = cells_here[0] if len(cells_here) == 1 and cells_here[0].limit else None
        found = [at.get((client, variant, check), whole) for check in checks]
        rows.append([client, variant, *(_shown(cell, reasons) for cell in found)])
    notes = [f"{number}. {client}: {reason}." for number, (client, reason) in enumerate(reasons, 1)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return table + ("\n" + "\n".join(notes) + "\n" if notes else "")


def _shown(cell: Cell | None, reasons: list[tuple[str, str | None]]) -> str:
    if cell is None:
        return ""
    return str(reasons.index((cell.client, cell.limit)) + 1) if cell.limit else "yes"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
