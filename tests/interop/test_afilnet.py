"""The service's own clients, from npm and PyPI, unmodified but for the host they call."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.interop import clients, install
from tests.interop.forwarder import forwarder
from tests.support.gateway import Gateway
from tests.support.wait import until

SECRET = "a-passphrase-of-the-customer"
CREDITS = 100
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclass
class Customer:
    """An account with two templates and a group of two, made by the command line."""

    email: str
    greeting: str  # has placeholders
    closing: str  # has none
    group: str


@dataclass
class Client:
    """One of the packages, with one spelling for what both can do."""

    name: str
    call: Callable[..., list[Any]]
    secret: str = SECRET
    spelling: dict[str, str] = field(default_factory=dict)

    def __call__(self, customer: Customer, name: str, *arguments: str) -> Any:
        return self.call(customer.email, self.secret, [self.spelling[name], *arguments])[0]


NPM_NAMES = {
    "balance": "user.getBalance",
    "send": "sms.send",
    "send template": "sms.sendFromTemplate",
    "send group": "sms.sendToGroup",
    "send group template": "sms.sendToGroupFromTemplate",
    "status": "sms.getDeliveryStatus",
}
PYPI_NAMES = {
    "balance": "getBalance",
    "send": "sendSms",
    "send template": "sendSmsFromTemplate",
    "send group": "sendSmsToGroup",
    "send group template": "sendSmsToGroupFromTemplate",
    "status": "getDeliveryStatus",
}


@pytest.fixture(scope="session", autouse=True)
def _packages() -> None:
    try:
        install.install()
    except install.NotInstalled as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="session")
def proxy(running_gateway: Gateway) -> Iterator[str]:
    with forwarder(running_gateway.url) as url:
        yield url


def npm_client(url: str, secret: str = SECRET) -> Client:
    return Client("npm", lambda *given: clients.npm(url, *given), secret, NPM_NAMES)


def pypi_client(proxy: str, secret: str = SECRET) -> Client:
    def call(user: str, password: str, *calls: list[str]) -> list[Any]:
        return clients.pypi(proxy, *([name, user, password, *rest] for name, *rest in calls))

    return Client("pypi", call, secret, PYPI_NAMES)


@pytest.fixture(params=["npm", "pypi"])
def make_client(request: pytest.FixtureRequest, running_gateway: Gateway, proxy: str) -> Callable[..., Client]:
    """Give the maker of one package's client; it takes the password."""

    def make(secret: str = SECRET) -> Client:
        if request.param == "npm":
            return npm_client(f"{running_gateway.url}/api/http/", secret)
        return pypi_client(proxy, secret)

    return make


def make_customer(gateway: Gateway, folder: Path, credit: int) -> Customer:
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    password = folder / "password"
    password.write_text(SECRET)
    gateway.cli(
        "account", "create", email, "--password-file", str(password), "--credits", str(credit), "--country", "34"
    )
    greeting = gateway.cli("template", "add", email, "greeting", "Hello <name>, your number is <mobile>")
    closing = gateway.cli("template", "add", email, "closing", "We close at eight")
    group = gateway.cli("group", "create", email, "customers")
    contacts = folder / "contacts.csv"
    contacts.write_text("mobile\n34600100001\n34600200001\n")
    gateway.cli("group", "import", str(group["id"]), str(contacts))
    return Customer(email, str(greeting["id"]), str(closing["id"]), str(group["id"]))


@pytest.fixture(scope="session")
def customer(running_gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Customer:
    """One for all tests: they look at how the balance changes."""
    return make_customer(running_gateway, tmp_path_factory.mktemp("customer"), CREDITS)


@pytest.fixture(scope="session")
def poor(running_gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Customer:
    """One without any credits."""
    return make_customer(running_gateway, tmp_path_factory.mktemp("poor"), 0)


def send(client: Client, customer: Customer, to: str = "34600300001") -> Any:
    if client.name == "npm":
        return client(customer, "send", to, "good morning, ¿qué tal?", "Shop", "", "")
    return client(customer, "send", to, "good+morning,+%C2%BFqu%C3%A9+tal?", "Shop")


def succeeded(reply: Any) -> Any:
    assert reply["status"] == "SUCCESS", reply
    return reply["result"]


def test_login(make_client: Callable[..., Client], customer: Customer) -> None:
    assert 0 < succeeded(make_client()(customer, "balance")) <= CREDITS


def test_login_of_the_npm_package(running_gateway: Gateway, customer: Customer) -> None:
    url = f"{running_gateway.url}/api/http/"
    right = ["login", customer.email, SECRET]
    wrong = ["login", customer.email, "wrong"]
    assert clients.npm(url, "", "", right, wrong) == [True, False]


def test_login_of_the_pypi_package(proxy: str, customer: Customer) -> None:
    right = ["isUser", customer.email, SECRET]
    wrong = ["isUser", customer.email, "wrong"]
    assert clients.pypi(proxy, right, wrong) == [True, False]


def test_send_is_charged_and_delivered(make_client: Callable[..., Client], customer: Customer) -> None:
    client = make_client()
    before = succeeded(client(customer, "balance"))
    result = succeeded(send(client, customer))
    assert result["messageid"].isdigit()
    assert result["credits"] == 1
    assert before - succeeded(client(customer, "balance")) == 1

    def status() -> Any:
        ids = [result["messageid"]] if client.name == "npm" else ["sms", result["messageid"]]
        (row,) = succeeded(client(customer, "status", *ids))
        return row

    until(lambda: status()["deliverystatus"] == "DELIVERED", 20, "DELIVERED")
    row = status()
    assert row["messageid"] == result["messageid"]
    assert row["sms"] == "good morning, ¿qué tal?"
    assert DATE.fullmatch(row["deliverydate"])


def test_delivery_status_of_an_unknown_message(make_client: Callable[..., Client], customer: Customer) -> None:
    client = make_client()
    ids = ["1,2"] if client.name == "npm" else ["sms", "1,2"]
    rows = succeeded(client(customer, "status", *ids))
    assert [(row["messageid"], row["deliverystatus"]) for row in rows] == [("1", "UNKNOWN"), ("2", "UNKNOWN")]


def test_send_from_template(make_client: Callable[..., Client], customer: Customer) -> None:
    client = make_client()
    params = "mobile:123456789,name:test name" if client.name == "npm" else "mobile:123456789,name:test+name"
    result = succeeded(
        client(customer, "send template", "34600400001", customer.greeting, params, *_optional(client))
    )
    ids = [result["messageid"]] if client.name == "npm" else ["sms", result["messageid"]]
    (row,) = succeeded(client(customer, "status", *ids))
    assert row["sms"] == "Hello test name, your number is 123456789"


def test_send_to_group(running_gateway: Gateway, customer: Customer) -> None:
    client = npm_client(f"{running_gateway.url}/api/http/")
    before = succeeded(client(customer, "balance"))
    result = succeeded(client(customer, "send group", "Shop", "34", customer.group, "to all of you", "", ""))
    _check_group_send(result)
    assert before - succeeded(client(customer, "balance")) == 2


def test_send_to_group_from_template(running_gateway: Gateway, customer: Customer) -> None:
    client = npm_client(f"{running_gateway.url}/api/http/")
    result = succeeded(client(customer, "send group template", "34", customer.group, customer.closing, "", ""))
    _check_group_send(result)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        pytest.param("send group", "countrycode", id="text"),
        pytest.param("send group template", "idgroup", id="template"),
    ],
)
def test_group_calls_of_the_pypi_package_lack_a_parameter(
    proxy: str, customer: Customer, name: str, lost: str
) -> None:
    """The package writes `&countrycode34` and `&idgroup7`, without the `=`: the reply names what did not arrive."""
    arguments = {
        "send group": ("Shop", "34", customer.group, "to+all"),
        "send group template": ("34", customer.group, customer.closing),
    }
    client = pypi_client(proxy)
    before = succeeded(client(customer, "balance"))
    reply = client(customer, name, *arguments[name])
    assert (reply["status"], reply["error"]) == ("ERROR", "MISSING_COMPULSORY_PARAM")
    assert lost in reply["detail"]
    assert succeeded(client(customer, "balance")) == before


def test_wrong_password(make_client: Callable[..., Client], customer: Customer) -> None:
    reply = send(make_client("wrong"), customer)
    assert (reply["status"], reply["error"]) == ("ERROR", "INCORRECT_USER_PASSWORD")


def test_no_credits(make_client: Callable[..., Client], poor: Customer) -> None:
    client = make_client()
    assert succeeded(client(poor, "balance")) == 0
    reply = send(client, poor)
    assert (reply["status"], reply["error"]) == ("ERROR", "NO_CREDITS")


def _optional(client: Client) -> tuple[str, ...]:
    """Give the npm package's scheduledatetime and output, left empty; the other fills in its own."""
    return ("", "") if client.name == "npm" else ()


def _check_group_send(result: Any) -> None:
    assert result["id"].isdigit()
    assert (result["count"], result["credits"]) == (2, 2)
    assert [row["destination"] for row in result["destinations"]] == ["34600100001", "34600200001"]
    assert all(row["messageid"].isdigit() for row in result["destinations"])
