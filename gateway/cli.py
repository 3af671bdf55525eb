"""The command line: `trunkline COMMAND …`. Commands are loaded when they are called, so that each starts fast."""

from importlib import import_module

import click

from gateway.commands.framework import Group, rendered

_COMMANDS = {
    "run": ("serve", "Run everything on this machine."),
    "web": ("serve", "Run the web server alone."),
    "dispatch": ("serve", "Run the dispatcher alone."),
    "smpp": ("serve", "Run the SMPP server alone."),
    "account": ("account", "Customers: create, list, show, credit, suspend."),
    "access": ("access", "Ways into an account: create, list, rotate, revoke, key."),
    "jwt": ("jwt", "Tokens of the JWT front end: rotate the key, list keys, revoke."),
    "carrier": ("carrier", "Upstream SMSCs: add, list, remove."),
    "route": ("route", "Where destinations go: add, list, remove."),
    "price": ("price", "What a segment costs: set, list, remove."),
    "template": ("template", "Customers' templates: add, list, remove."),
    "group": ("group", "Customers' groups: create, import, list."),
    "message": ("message", "Messages: list, show, cancel, hold, release."),
    "inbound": ("inbound", "What comes in: add, list and remove numbers; messages."),
    "optout": ("optout", "Recipients that want no more: list, add, remove."),
    "log": ("log", "The log of calls."),
    "openapi": ("openapi", "Print the OpenAPI document."),
    "migrate": ("maintenance", "Bring the database to this version."),
    "backup": ("maintenance", "Save database and key file in one file."),
    "restore": ("maintenance", "Start again from a backup."),
    "wsdl": ("contract", "Print the SOAP contract."),
    "simulator": ("simulator", "Be an SMSC to test against."),
}


class Trunkline(Group):
    """The root: its commands by name, and every failure as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"gateway.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])

    def main(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        """Run a command line and end the process: 0, 2 for bad input, 1 for any other failure."""
        kwargs["standalone_mode"] = False
        with rendered():
            return super().main(*args, **kwargs)  # type: ignore[call-overload]


@click.group(cls=Trunkline)
@click.version_option(package_name="trunkline")
def cli() -> None:
    """One SMS service behind every protocol its customers already speak.

    Settings come from options, from TRUNKLINE_* variables and from a TOML file, in this order.
    """


def main() -> None:
    """The console script."""
    cli(prog_name="trunkline")
