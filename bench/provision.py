"""Make an installation's accounts with the command line's own functions, in one process.

`python -m bench.provision`, settings in TRUNKLINE_* variables, a plan as JSON on standard input: {"accounts":
50, "credits": 1000000, "contacts": 0}. Prints {"accesses": [[login, secret], …], "group": id or null}: one
access per account, and where contacts are asked for a group of that many in the first account.
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.cli import cli

FIRST_CONTACT = 34_680_000_000


def command(*arguments: str) -> Any:
    """Run one `trunkline` command in this process; give what it prints with --json."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            cli.main([*arguments, "--json"])
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"trunkline {' '.join(arguments)} ended with {end.code}") from end
    printed = output.getvalue()
    return json.loads(printed) if printed.strip() else None


def provision(accounts: int, credit: int, contacts: int, folder: Path) -> dict[str, Any]:
    """Create the database and the accounts; `folder` takes the files that the commands read."""
    password = folder / "password"
    password.write_text("the benchmark logs in by its accesses only")
    command("migrate")
    accesses = []
    group = None
    for index in range(accounts):
        email = f"bench{index}@example.com"
        given = ["--password-file", str(password), "--credits", str(credit), "--country", "34"]
        command("account", "create", email, *given)
        access = command("access", "create", email, "bench")
        accesses.append((access["user"], access["secret"]))
    if contacts:
        path = folder / "contacts.csv"
        path.write_text("mobile\n" + "".join(f"{FIRST_CONTACT + 10 + index}\n" for index in _plain(contacts)))
        group = command("group", "create", "bench0@example.com", "everyone")["id"]
        command("group", "import", str(group), str(path))
    return {"accesses": accesses, "group": group}


def _plain(count: int) -> list[int]:
    """Give `count` numbers whose last four digits mean nothing to the simulated carrier once 10 is added."""
    return [index for index in range(count + count // 900 + 10) if not 1 <= (index + 10) % 10_000 <= 9][:count]


def main() -> None:
    """Read the plan, carry it out, print the accesses."""
    plan = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        made = provision(plan["accounts"], plan["credits"], plan["contacts"], Path(folder))
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
