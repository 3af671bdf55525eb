"""A folder where installations are prepared once and copied for each trial."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.databases import Postgresql, Sqlite, Store, copy_folder
from bench.gateway_run import TRUNKLINE, environment

ACCOUNTS = 50
CREDITS = 10_000_000


def trunkline(variables: dict[str, str], *arguments: str) -> None:
    """Run a command of the gateway's; raise RuntimeError with what it says when it fails."""
    done = subprocess.run([str(TRUNKLINE), *arguments], capture_output=True, text=True, check=False, env=variables)
    if done.returncode:
        raise RuntimeError(f"`trunkline {' '.join(arguments)}` failed: {done.stderr.strip()}")


@dataclass(slots=True)
class Installation:
    """A migrated database with accounts, and the accesses to them."""

    data: Path
    store: Store
    accesses: list[tuple[str, str]]
    group: str | None = None


@dataclass(slots=True)
class Workspace:
    """What all sections share: the folder, the prepared installations, the options of the command."""

    folder: Path
    quick: bool = False
    peers: bool = True
    rows: int = 10_000_000
    prepared: dict[tuple[str, int], Installation] = field(default_factory=dict)
    copies: int = 0

    def prepare(self, kind: str, contacts: int = 0) -> Installation:
        """Give the prepared installation on `kind` ("sqlite" or "postgresql"), made when first asked for."""
        if (kind, contacts) not in self.prepared:
            self.prepared[kind, contacts] = self._make(kind, contacts)
        return self.prepared[kind, contacts]

    def _make(self, kind: str, contacts: int) -> Installation:
        folder = self.folder / f"{kind}-{contacts}"
        data = folder / "data"
        data.mkdir(parents=True)
        store: Store = Sqlite(data) if kind == "sqlite" else Postgresql.start(folder)
        plan = {"accounts": ACCOUNTS, "credits": CREDITS, "contacts": contacts}
        settings = {"TRUNKLINE_DATA": str(data), "TRUNKLINE_DATABASE_URL": store.url}
        done = subprocess.run(
            [sys.executable, "-m", "bench.provision"],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=False,
            env=environment(settings),
        )
        if done.returncode:
            raise RuntimeError(f"the accounts could not be made:\n{done.stdout}{done.stderr}")
        made = json.loads(done.stdout.splitlines()[-1])
        accesses = [(user, secret) for user, secret in made["accesses"]]
        return Installation(data, store, accesses, made["group"] and str(made["group"]))

    def close(self) -> None:
        """Stop the servers that the prepared installations run on."""
        for installation in self.prepared.values():
            installation.store.stop()

    @contextmanager
    def trial(self, kind: str, contacts: int = 0) -> Iterator[Installation]:
        """Give a fresh copy of the prepared installation, removed afterwards."""
        original = self.prepare(kind, contacts)
        self.copies += 1
        folder = self.folder / f"trial-{self.copies}"
        data = folder / "data"
        folder.mkdir()
        copy_folder(original.data, data)
        store = original.store.copy(data, self.copies)
        try:
            yield Installation(data, store, original.accesses, original.group)
        finally:
            store.remove()
            shutil.rmtree(data)
