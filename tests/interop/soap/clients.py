"""The SOAP clients: how each is built and run, and what it cannot do."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.interop import outside
from tests.interop.install import NotInstalled

HERE = Path(__file__).resolve().parent
TIMEOUT = 120
JAXWS = "/usr/share/jaxws/lib/jaxws-rt.jar"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")

Variables = Mapping[str, str]
# Of the WSDL's URL, SOAP's version and a folder to work in: the command that calls, and variables for it.
Build = Callable[[str, str, Path], tuple[Sequence[str], Variables]]


@dataclass(frozen=True)
class Client:
    """One client.

    `limits` gives the reason of every check of the table that it cannot pass, or of a whole version; it is held to
    that too.
    """

    name: str
    tools: tuple[str, ...]
    build: Build
    version: Callable[[], str]
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """The gateway's WSDL, and a folder for what is made from it."""

    wsdl: str
    folder: Path


def call(
    client: Client,
    site: Site,
    version: str,
    operation: str,
    values: Variables,
    action: str | None = None,
    credentials: str = "elements",
) -> Any:
    """What the client makes of one call: a reply, {fault, text}, or the names for `operations`.

    `credentials` is how user and password go: as "elements", a "token" of WS-Security, or by HTTP "basic".
    """
    command, variables = client.build(site.wsdl, version, site.folder)
    environment = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    words = "".join(f"{name}\0{value}\0" for name, value in values.items())
    done = subprocess.run(
        [*command, site.wsdl, version, operation, *([] if action is None else [action])],
        input=words.encode(),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        env={**environment, **variables, "CREDENTIALS": credentials},
    )
    assert done.returncode == 0, f"{client.name}: {done.returncode}: {done.stderr.decode()}{done.stdout.decode()}"
    return json.loads(done.stdout)


def _python(file: str) -> Build:
    return lambda *_: ([sys.executable, "-B", str(HERE / file)], {"PYTHONPATH": str(outside.python())})


def _node(file: str) -> Build:
    return lambda *_: (["node", str(HERE / file)], {"NODE_PATH": str(outside.node())})


def _plain(*command: str) -> Build:
    return lambda *_: ([*command[:-1], str(HERE / command[-1])], {})


def _gsoap(wsdl: str, version: str, site: Path) -> tuple[Sequence[str], Variables]:
    """From the WSDL by wsdl2h and soapcpp2, and compiled: once for each version."""
    folder = site / f"gsoap-{version}"
    if not (folder / "client").exists():
        _empty(folder)
        outside.run("wsdl2h", "-o", "sms.h", wsdl, cwd=folder)
        with (folder / "sms.h").open("a") as header:
            header.write((HERE / "gsoap_security.h").read_text())
        only = "-1" if version == "1.1" else "-2"
        outside.run("soapcpp2", only, "-j", "-C", "-x", "-L", "-I/usr/share/gsoap/import", "sms.h", cwd=folder)
        proxy = (folder / "soapSmsSoap11Proxy.h").read_text()
        names = re.findall(r"virtual int ([a-z]+)\(ns1__", proxy)
        (folder / "operations.inc").write_text("".join(f'"{name}",\n' for name in dict.fromkeys(names)))
        sources = (str(HERE / "gsoap_client.cpp"), "soapC.cpp", "soapSmsSoap11Proxy.cpp")
        outside.run("g++", "-std=c++17", "-I.", "-o", "client.new", *sources, "-lgsoap++", cwd=folder)
        (folder / "client.new").rename(folder / "client")
    return [str(folder / "client")], {}


def _jaxws(wsdl: str, _: str, site: Path) -> tuple[Sequence[str], Variables]:
    """From the WSDL by wsimport, and compiled."""
    folder = site / "jaxws"
    if not (folder / "built").exists():
        _empty(folder)
        outside.run("wsimport", "-Xnocompile", "-extension", "-p", "sms", "-s", str(folder), wsdl, cwd=folder)
        sources = sorted(str(path) for path in (folder / "sms").glob("*.java"))
        outside.run(
            "javac", "-nowarn", "-cp", JAXWS, "-d", "out", *sources, str(HERE / "JaxWsClient.java"), cwd=folder
        )
        (folder / "built").touch()
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder / 'out'}:{JAXWS}", "JaxWsClient"], {}


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def printed(*command: str) -> str:
    """The first number of the form 1.2 or 1.2.3 that a command prints; raises NotInstalled without one."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    if found is None:
        raise NotInstalled(f"`{' '.join(command)}` names no version: {done.stdout}{done.stderr}")
    return found[0]


def locked_python(package: str) -> Callable[[], str]:
    """The version of a package of PyPI's."""
    return lambda: _found(rf"^{package}==(\S+)", outside.HERE / "python.txt")


def locked_node(package: str) -> Callable[[], str]:
    """The version of a package of npm's."""
    return lambda: _found(rf'"{package}": "([^"]+)"', outside.HERE / "node" / "package.json")


def _found(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    assert found is not None, (pattern, path)
    return found[1]


CLIENTS = (
    Client("zeep", (), _python("zeep_client.py"), locked_python("zeep")),
    Client(
        "suds-community",
        (),
        _python("suds_client.py"),
        locked_python("suds-community"),
        limits={"SOAP 1.2": "suds writes SOAP 1.1 envelopes alone, whichever port it is told to use"},
    ),
    Client(
        "PHP SoapClient",
        ("php", "PHP's soap"),
        _plain("php", "php_client.php"),
        lambda: printed("php", "--version"),
    ),
    Client("node soap", ("node",), _node("node_soap.js"), locked_node("soap")),
    Client(
        "strong-soap",
        ("node",),
        _node("strong_soap.js"),
        locked_node("strong-soap"),
        limits={
            "decimals of 16 digits": "it makes a Number of every xs:decimal and has no option for it; Numbers are "
            "exact up to 15 digits, which is any amount below a thousand million credits"
        },
    ),
    Client("gSOAP", ("gsoap", "g++"), _gsoap, lambda: printed("soapcpp2", "-V")),
    Client("JAX-WS RI", ("javac", "wsimport"), _jaxws, lambda: printed("wsimport", "-version")),
    Client(
        "SOAP::Lite",
        ("SOAP::Lite",),
        _plain("perl", "soap_lite.pl"),
        lambda: printed("perl", "-MSOAP::Lite", "-e", "print $SOAP::Lite::VERSION"),
        limits={
            "list of one": "called by hand it knows no schema, so a list of one looks like a single value; its "
            "method `valueof` gives a list always"
        },
    ),
)
