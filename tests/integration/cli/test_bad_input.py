"""Whatever is wrong ends with one line that says so, exit 2, and nothing stored."""

from collections.abc import Callable

import pytest

from gateway.storage.database import Database
from tests.integration.cli.conftest import PASSWORD, Trunkline

ANA = "ana@example.com"
CREATE = ("account", "create", "bob@example.com", "--password-file", "-")
ACCESS = ("access", "create", ANA, "web")
CARRIER = ("carrier", "add", "up", "--kind", "smpp")
SMPP = (*CARRIER, "--option", "host=smsc.example.com", "--option", "system_id=me")

CASES = [
    # label, arguments, the line after "trunkline: "
    ("no such command", ("frobnicate",), "No such command 'frobnicate'. (`trunkline --help` shows how)"),
    (
        "no such subcommand",
        ("account", "destroy"),
        "No such command 'destroy'. (`trunkline account --help` shows how)",
    ),
    (
        "no such option",
        ("account", "list", "--colour"),
        "No such option '--colour'. (`trunkline account list --help` shows how)",
    ),
    (
        "missing argument",
        ("account", "show"),
        "Missing argument 'EMAIL'. (`trunkline account show --help` shows how)",
    ),
    (
        "one argument too many",
        ("account", "show", ANA, "x"),
        "Got unexpected extra argument (x) (`trunkline account show --help` shows how)",
    ),
    (
        "no password file",
        ("account", "create", "bob@example.com"),
        "Missing option '--password-file'. (`trunkline account create --help` shows how)",
    ),
    ("no e-mail", ("account", "show", "ana"), "Invalid value for 'EMAIL': 'ana' is not an e-mail address."),
    ("unknown account", ("account", "show", "eve@example.com"), "there is no account eve@example.com"),
    (
        "unknown parent",
        (*CREATE, "--parent", "eve@example.com"),
        "there is no account eve@example.com",
    ),
    (
        "credits in letters",
        (*CREATE, "--credits", "ten"),
        "Invalid value for '--credits': 'ten' is not an amount: write plain digits with at most six decimals, such as"
        " 12.5.",
    ),
    ("negative credits", (*CREATE, "--credits", "-1"), "Invalid value for '--credits': '-1' is negative."),
    ("no credits", ("account", "credit", ANA, "0"), "Invalid value for 'AMOUNT': It must not be 0."),
    (
        "time zone",
        (*CREATE, "--timezone", "Mars/Olympus"),
        "Invalid value for '--timezone': 'Mars/Olympus' is no time zone; they are written like Europe/Madrid or UTC.",
    ),
    (
        "time zone as a path",
        (*CREATE, "--timezone", "../../etc/passwd"),
        "Invalid value for '--timezone': '../../etc/passwd' is no time zone; they are written like Europe/Madrid or"
        " UTC.",
    ),
    (
        "country",
        (*CREATE, "--country", "999"),
        "Invalid value for '--country': '999' is no country: give a calling code such as 34 or a two-letter code such"
        " as ES.",
    ),
    (
        "sender",
        (*CREATE, "--sender", "A name that is long"),
        "Invalid value for '--sender': The sender 'A name that is long' is too long: up to 11 characters, or 15"
        " digits.",
    ),
    (
        "nothing to change",
        ("account", "set", ANA),
        "Nothing to change: give at least one option. (`trunkline account set --help` shows how)",
    ),
    (
        "protocol",
        (*ACCESS, "--protocol", "telnet"),
        "Invalid value for '--protocol': 'telnet' is not one of 'http', 'basic', 'jwt', 'soap', 'smpp'.",
    ),
    (
        "operation",
        (*ACCESS, "--operation", "user.destroy"),
        "Invalid value for '--operation': 'user.destroy' is neither an operation nor a class of them; there are"
        " user.getbalance.",
    ),
    (
        "class",
        (*ACCESS, "--operation", "fax"),
        "Invalid value for '--operation': 'fax' is neither an operation nor a class of them; there are group,"
        " optout, sms, template, user.",
    ),
    (
        "network",
        (*ACCESS, "--network", "192.0.2.0/33"),
        "Invalid value for '--network': '192.0.2.0/33' is no network: it is written like 192.0.2.0/24 or"
        " 2001:db8::/32.",
    ),
    (
        "network with host bits",
        (*ACCESS, "--network", "192.0.2.1/24"),
        "Invalid value for '--network': '192.0.2.1/24' has bits set beyond its length: write 192.0.2.0/24 for the"
        " network.",
    ),
    (
        "rate",
        (*ACCESS, "--rate", "fast"),
        "Invalid value for '--rate': 'fast' is no rate: it is written like 10/s or 30/m, and is at least 4/h.",
    ),
    (
        "rate of nothing",
        (*ACCESS, "--rate", "0/s"),
        "Invalid value for '--rate': '0/s' is no rate: it is written like 10/s or 30/m, and is at least 4/h.",
    ),
    ("expired", (*ACCESS, "--expires", "2020-01-01"), "the date 2020-01-01 is past"),
    (
        "no such day",
        (*ACCESS, "--expires", "2035-02-30"),
        "Invalid value for '--expires': The date '2035-02-30' does not exist.",
    ),
    (
        "no date",
        (*ACCESS, "--expires", "soon"),
        "Invalid value for '--expires': 'soon' is no date: it is written like 2027-01-31 or '2027-01-31 18:00'.",
    ),
    (
        "no binds",
        (*ACCESS, "--bind-limit", "0"),
        "Invalid value for '--bind-limit': 0 is not in the range 1<=x<=1000.",
    ),
    (
        "lifting what is no restriction",
        ("access", "set", ANA, "web", "--lift", "secret"),
        "Invalid value for '--lift': 'secret' is not one of"
        " 'protocol', 'operation', 'network', 'rate', 'expires', 'bind-limit'.",
    ),
    (
        "restricting the account's own",
        ("access", "set", ANA, ANA, "--rate", "1/s"),
        f"that is the account's own password: see `account password {ANA}` and `account suspend`",
    ),
    (
        "access named like an e-mail",
        ("access", "create", ANA, "a@b"),
        "Invalid value for 'NAME': 'a@b' holds an @; names have none, so that they are no e-mail address.",
    ),
    ("blank name", ("access", "create", ANA, " "), "Invalid value for 'NAME': It must not be blank."),
    ("unknown access", ("access", "revoke", ANA, "web"), f"the account {ANA} has no access named 'web'"),
    (
        "revoking the account's own",
        ("access", "revoke", ANA, ANA),
        f"that is the account's own password: see `account password {ANA}` and `account suspend`",
    ),
    (
        "kind of carrier",
        ("carrier", "add", "up", "--kind", "pigeon"),
        "Invalid value for '--kind': 'pigeon' is not one of 'simulator', 'smpp'.",
    ),
    (
        "option without value",
        (*CARRIER, "--option", "host"),
        "an --option is written KEY=VALUE, its key in small letters, digits and _",
    ),
    ("option twice", (*CARRIER, "--option", "host=a", "--option", "host=b"), "the option host is given twice"),
    (
        "password on the command line",
        (*CARRIER, "--option", "password=hunter2"),
        "the option password is a secret, so it stands on no command line: write password=@FILE, or password=- for"
        " standard input",
    ),
    (
        "another password on the command line",
        (*CARRIER, "--option", "proxy_password=hunter2"),
        "the option proxy_password is a secret, so it stands on no command line: write proxy_password=@FILE, or"
        " proxy_password=- for standard input",
    ),
    (
        "password file that is not there",
        (*CARRIER, "--option", "password=@/nonexistent/file"),
        "Invalid value: the file '/nonexistent/file' cannot be read: No such file or directory.",
    ),
    ("carrier without a host", CARRIER, "Option 'host' of smpp carriers: it is missing."),
    (
        "carrier without a password",
        SMPP,
        "Option 'password' of smpp carriers: it is missing; write password=@FILE, or password=- for standard input.",
    ),
    (
        "carrier with a secret of no use",
        (*SMPP, "--option", "proxy_password=-"),
        "Option 'proxy_password' of smpp carriers: there is no such option.",
    ),
    (
        "carrier with an option of no use",
        (*SMPP, "--option", "hots=a"),
        "Option 'hots' of smpp carriers: there is no such option.",
    ),
    (
        "carrier at no port",
        (*SMPP, "--option", "port=70000"),
        "Option 'port' of smpp carriers: Input should be less than or equal to 65535.",
    ),
    (
        "carrier with a course that is none",
        (*SMPP, "--option", "errors=0x0B:lost"),
        "Option 'errors' of smpp carriers: 'lost' in '0x0b:lost' is none of throttle, retry, next, final.",
    ),
    (
        "carrier with a rewriting that is none",
        (*SMPP, "--option", "source_rewrite=("),
        "Option 'source_rewrite' of smpp carriers: '(' is no rule: it is written PATTERN=REPLACEMENT.",
    ),
    ("unknown carrier", ("carrier", "remove", "nope"), "there is no carrier 'nope'"),
    ("route to an unknown carrier", ("route", "add", "34", "nope"), "there is no carrier 'nope'"),
    (
        "prefix in letters",
        ("route", "add", "34x", "simulator"),
        "Invalid value for 'PREFIX': '34x' is no prefix: it is up to 15 digits, \"\" for every destination.",
    ),
    ("unknown route", ("route", "remove", "34", "simulator"), 'there is no route "34" to simulator'),
    (
        "negative price",
        ("price", "set", "34", "--", "-1"),
        "Invalid value for 'CREDITS': '-1' is negative.",
    ),
    ("unknown price", ("price", "remove", "34"), 'there is no price of "34"'),
    ("unknown price of an account", ("price", "remove", "", "--account", ANA), f'there is no price of "" for {ANA}'),
    ("unknown template", ("template", "remove", "7"), "there is no template 7"),
    ("template id", ("template", "remove", "x7"), "Invalid value for 'ID': 'x7' is no id: ids are digits."),
    ("Arabic digits", ("template", "remove", "٧"), "Invalid value for 'ID': '٧' is no id: ids are digits."),
    ("huge id", ("message", "show", "9" * 17), f"Invalid value for 'ID': '{'9' * 17}' is no id: ids are digits."),
    (
        "empty text",
        ("template", "add", ANA, "t", ""),
        "Invalid value for 'TEXT': A text has 1 to 4000 characters, not 0.",
    ),
    (
        "text with half a pair",
        ("template", "add", ANA, "t", "a\ud800"),
        "Invalid value for 'TEXT': The text holds a character that is none, or bytes that are not UTF-8.",
    ),
    (
        "field mobile",
        ("group", "create", ANA, "g", "--fields", "name,mobile"),
        "Invalid value for '--fields': The name 'mobile' is taken: it is every contact's number.",
    ),
    ("unknown group", ("group", "import", "7", "/dev/null"), "there is no group 7"),
    ("unknown message", ("message", "show", "7"), "there is no message 7"),
    ("cancelling an unknown message", ("message", "cancel", "7"), "there is no message 7"),
    ("releasing an unknown message", ("message", "release", "7"), "there is no message 7"),
    (
        "holding nothing",
        ("message", "hold"),
        "Give --all: it is for everything that is not yet sent. (`trunkline message hold --help` shows how)",
    ),
    (
        "releasing nothing",
        ("message", "release"),
        "Give either an ID or --all. (`trunkline message release --help` shows how)",
    ),
    (
        "releasing all and one",
        ("message", "release", "7", "--all"),
        "Give either an ID or --all. (`trunkline message release --help` shows how)",
    ),
    (
        "log since",
        ("log", "list", "--since", "yesterday"),
        "Invalid value for '--since': 'yesterday' is no time: it is written like 15m, 2h, 7d or 2026-11-01.",
    ),
    ("log of an unknown access", ("log", "list", "--access", "web"), "there is no access named 'web'"),
]


def contents(database: Database) -> dict[str, int]:
    from sqlalchemy import func, select  # noqa: PLC0415

    from gateway.storage.schema import metadata  # noqa: PLC0415

    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_every_case(trunkline: Trunkline, database: Database) -> None:
    """One database for all: a case that stored anything would show in the counts."""
    trunkline.account(ANA)
    before = contents(database)
    found = {label: trunkline.fails(*arguments, typed=PASSWORD) for label, arguments, _ in CASES}
    expected = {label: (2, f"trunkline: {line}") for label, _, line in CASES}
    assert found == expected
    assert contents(database) == before


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("", "is empty; it must hold the secret.", id="empty"),
        pytest.param("\n", "is empty; it must hold the secret.", id="blank"),
        pytest.param("two\nlines", "must hold one line of at most 1024 bytes.", id="two lines"),
        pytest.param("x" * 1025, "must hold one line of at most 1024 bytes.", id="too long"),
        pytest.param("nul\0nul12", "must hold one line of at most 1024 bytes.", id="NUL"),
        pytest.param(b"\xff" * 10, "is not UTF-8 text.", id="no UTF-8"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_passwords_that_cannot_be(
    trunkline: Trunkline, written: Callable[[str | bytes], str], content: str | bytes, line: str
) -> None:
    file = written(content)
    arguments = ("account", "create", ANA, "--password-file")
    where = f"the file {file!r}"
    assert trunkline.fails(*arguments, file) == (
        2,
        f"trunkline: Invalid value for '--password-file': {where} {line}",
    )
    assert trunkline.fails(*arguments, "-", typed=content) == (
        2,
        f"trunkline: Invalid value for '--password-file': standard input {line}",
    )


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_short_password_is_refused_unshown(trunkline: Trunkline) -> None:
    assert trunkline.fails("account", "create", ANA, "--password-file", "-", typed="s3cr3t\n") == (
        2,
        "trunkline: Invalid value for '--password-file': A password has at least 8 characters.",
    )


def test_what_is_there_already(trunkline: Trunkline) -> None:
    trunkline.account(ANA)
    trunkline.ok("access", "create", ANA, "web")
    conflicts = {
        ("account", "create", ANA, "--password-file", "-"): f"There is an account {ANA} already.",
        ("access", "create", ANA, "web"): "The account has an access named 'web' already.",
        ("carrier", "add", "simulator", "--kind", "simulator"): "There is a carrier 'simulator' already.",
        ("route", "add", "", "simulator"): "There is a route of the prefix '' to this carrier already.",
    }
    for arguments, line in conflicts.items():
        assert trunkline.fails(*arguments, typed=PASSWORD) == (2, f"trunkline: {line}")
