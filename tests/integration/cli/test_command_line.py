"""The command line itself: settings, exit codes of real processes, terminals, and what it loads."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gateway.cli import cli
from gateway.storage.database import Database
from gateway.storage.migrate import at_head
from tests.integration.cli.conftest import PASSWORD, Trunkline

ANA = "ana@example.com"

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"])
Process = subprocess.CompletedProcess[str]


@pytest.fixture
def process(database_url: str, tmp_path: Path) -> Callable[..., Process]:
    """Runs `python -m gateway` as a process, with the test's database in its variables."""

    def run(*arguments: str, typed: str = "", **variables: str | None) -> Process:
        known = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        ours = {"TRUNKLINE_DATA": str(tmp_path / "data"), "TRUNKLINE_DATABASE_URL": database_url, **variables}
        known |= {name: value for name, value in ours.items() if value is not None}
        command = [sys.executable, "-m", "gateway", *arguments]
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=60, env=known, check=False
        )

    return run


def test_exit_codes_of_a_process(process: Callable[..., Process]) -> None:
    made = process("account", "create", ANA, "--password-file", "-", "--json", typed=PASSWORD)
    assert (made.returncode, made.stderr) == (0, "")
    assert orjson.loads(made.stdout)["email"] == ANA
    wrong = process("account", "credit", ANA, "ten")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    failed = process("account", "credit", ANA, "-1")
    assert (failed.returncode, failed.stdout, failed.stderr) == (
        1,
        "",
        "trunkline: The balance of 0 does not cover 1.\n",
    )


def test_output_that_nobody_reads_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gateway", "--help"]
    ran = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")


@sqlite_only
def test_import_shows_a_bar_on_a_terminal_and_none_elsewhere(
    trunkline: Trunkline, process: Callable[..., Process], database_url: str, tmp_path: Path
) -> None:
    trunkline.account(ANA)
    group = trunkline.ok("group", "create", ANA, "Friends")["id"]
    file = tmp_path / "contacts.csv"
    file.write_text("mobile\nabc\n" + "".join(f"+34600{number:06}\n" for number in range(2_000)))
    quiet = process("group", "import", group, str(file), "--skip-invalid")
    assert (quiet.returncode, quiet.stdout) == (0, f"Loaded 2000 contacts into group {group}; 1 lines refused.\n")
    assert quiet.stderr == "line 2: The number 'abc' holds characters other than the digits 0 to 9.\n"
    shown = on_terminal("--data", str(tmp_path / "data"), "group", "import", group, str(file), "--skip-invalid")
    assert "Loading" in shown
    assert "100%" in shown
    assert "line 2: The number 'abc'" in shown
    assert f"Loaded 2000 contacts into group {group}" in shown


@sqlite_only
def test_a_password_is_asked_for_unseen_on_a_terminal(trunkline: Trunkline, tmp_path: Path) -> None:
    trunkline.account(ANA)
    shown = on_terminal(
        *("--data", str(tmp_path / "data"), "account", "password", ANA, "--password-file", "-"),
        typed="typed password\n",
    )
    assert f"Changed the password of {ANA}." in shown
    assert "typed password" not in shown


def on_terminal(*arguments: str, typed: str = "") -> str:
    """What a command that succeeds shows on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "gateway", *arguments])
    shown, asked = b"", not typed
    try:
        while True:
            if not asked and b"Secret" in shown:
                os.write(terminal, typed.encode())
                asked = True
            try:
                piece = os.read(terminal, 65_536)
            except OSError:  # Linux's way to say that the other side is closed
                break
            if not piece:
                break
            shown += piece
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown.decode()
    return shown.decode()


@sqlite_only
def test_an_option_over_a_variable_over_the_file(
    trunkline: Trunkline, process: Callable[..., Process], tmp_path: Path
) -> None:
    for name in ("option", "variable", "file"):
        there = Trunkline("--data", str(tmp_path / name))
        there.ok("migrate")
        there.account(f"{name}@example.com")
    config = tmp_path / "trunkline.toml"
    config.write_text(f'data = "{tmp_path / "file"}"\n')

    def used(*arguments: str, variable: str | None = None) -> str:
        ran = process(*arguments, "--json", TRUNKLINE_DATABASE_URL="", TRUNKLINE_DATA=variable)
        assert ran.returncode == 0, ran.stderr
        return str(orjson.loads(ran.stdout)[0]["email"]).partition("@")[0]

    listing = ("account", "list")
    file, variable, option = (
        ("--config", str(config)),
        str(tmp_path / "variable"),
        ("--data", str(tmp_path / "option")),
    )
    assert used(*file, *listing) == "file"
    assert used(*file, *listing, variable=variable) == "variable"
    assert used(*listing, *file, *option) == "option"
    assert used("account", *option, "list", variable=variable) == "option"
    assert used("--data", variable, *listing, *option) == "option"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        pytest.param(
            ("--database-url", "mysql://root:hunter2@localhost/x"),
            2,
            "the database URL starts with 'mysql'; it must be sqlite:///… or postgresql://…",
            id="another database",
        ),
        pytest.param(
            ("--database-url", "hunter2"),
            2,
            "the database URL is not of the form sqlite:///DIR/trunkline.db or postgresql://…",
            id="no URL",
        ),
        pytest.param(
            ("--database-url", "postgresql://root:hunter2@127.0.0.1:1/x"),
            1,
            "The PostgreSQL server cannot be reached.",
            id="nobody there",
        ),
        pytest.param(
            ("--config", "/nonexistent.toml"),
            2,
            "the file /nonexistent.toml cannot be read: No such file or directory",
            id="no such file",
        ),
    ],
)
@sqlite_only
def test_settings_that_cannot_be_used(trunkline: Trunkline, arguments: tuple[str, ...], code: int, line: str) -> None:
    assert trunkline.fails("account", "list", *arguments) == (code, f"trunkline: {line}")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"data = ", "the settings cannot be read: ", id="no TOML"),
        pytest.param(b"\xff", "the settings cannot be read: ", id="no UTF-8"),
        pytest.param(b"web_workers = 0", "the setting web_workers cannot be used: ", id="out of range"),
        pytest.param(
            b"smpp_networks = 'lan'",
            "the setting smpp_networks cannot be used: it names what is no network",
            id="network",
        ),
        pytest.param(b"writer_queue = 'hunter2'", "the setting writer_queue cannot be used: ", id="no number"),
    ],
)
@sqlite_only
def test_a_file_of_settings_that_cannot_be_used(
    trunkline: Trunkline, written: Callable[[bytes], str], content: bytes, line: str
) -> None:
    code, told = trunkline.fails("account", "list", "--config", written(content))
    assert code == 2
    assert told.startswith(f"trunkline: {line}")
    assert "hunter2" not in told


def test_migrate_makes_the_database(empty_url: str, tmp_path: Path) -> None:
    there = Trunkline("--data", str(tmp_path / "data"), "--database-url", empty_url)
    before = there.fails("account", "list")
    assert before[0] == 1
    assert "`trunkline migrate`" in before[1]
    for _ in range(2):
        assert there.ok("migrate")["revision"]
    database = Database.open(empty_url)
    assert at_head(database)
    database.close()
    assert there.ok("account", "list") == []


@sqlite_only
def test_a_database_that_is_none(trunkline: Trunkline, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "trunkline.db").write_bytes(b"no database" * 100)
    code, line = trunkline.fails("account", "list", "--data", str(tmp_path / "other"))
    assert code == 1
    assert "cannot be used" in line


@sqlite_only
def test_an_unexpected_failure_is_one_line_without_its_text(
    trunkline: Trunkline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.storage.queries import accounts  # noqa: PLC0415

    def fail(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(accounts, "find", fail)
    code, line = trunkline.fails("account", "show", ANA)
    assert code == 1
    assert line.startswith("trunkline: failed unexpectedly: RuntimeError at test_command_line.py:")
    assert "hunter2" not in line


def test_every_command_takes_the_global_options_and_has_help() -> None:
    from click import Context, Group  # noqa: PLC0415

    def leaves(group: Group, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        context = Context(group)
        found: list[tuple[str, ...]] = []
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            assert command.help
            options = {option for parameter in command.params for option in parameter.opts}
            assert {"--data", "--database-url", "--config", "--json"} <= options, (*path, name)
            found += leaves(command, (*path, name)) if isinstance(command, Group) else [(*path, name)]
        return found

    known = leaves(cli, ())
    for design in (
        "account create|list|show|credit|password|suspend|resume",
        "access create|set|list|rotate|revoke",
        "carrier add|list|remove",
        "route add|list|remove",
        "price set|list|remove",
        "template add|list|remove",
        "group create|import|list",
        "message list|show|cancel|release",
        "log list",
        "migrate",
        "backup",
        "restore",
        "run",
        "web",
        "dispatch",
    ):
        noun, _, verbs = design.partition(" ")
        assert {(noun, verb) if verb else (noun,) for verb in verbs.split("|")} <= set(known)


def test_help_and_the_supervisor_load_no_database() -> None:
    code = (
        "import sys, gateway.cli; from click import Context;"
        " gateway.cli.cli.get_command(Context(gateway.cli.cli), 'run');"
        " print(sorted({'sqlalchemy', 'pydantic', 'phonenumbers', 'argon2'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
