"""What commands share: the global options, opening the database, failing in one line."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.storage.errors import Conflict, Incompatible, Taken, Unavailable

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.storage.database import Database

_META = "trunkline"


class Failure(click.ClickException):
    """The command cannot do what it was rightly asked: exit 1. Its message is one sentence."""

    exit_code = 1


class BadInput(click.ClickException):
    """What the command was given cannot be: exit 2. Its message is one sentence."""

    exit_code = 2


@dataclass(slots=True)
class Session:
    """What the global options say of this command."""

    options: dict[str, Any] = field(default_factory=dict)
    config: Path | None = None
    json: bool = False

    def settings(self, **options: Any) -> "Settings":
        """The settings: the global options and `options` (None is not given) over variables over the file."""
        import tomllib  # noqa: PLC0415 (only what a command needs is loaded)

        from pydantic import ValidationError  # noqa: PLC0415
        from pydantic_settings import SettingsError  # noqa: PLC0415

        from gateway.settings import Settings  # noqa: PLC0415

        try:
            return Settings.load({**self.options, **options}, self.config)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            problem = first["msg"].removeprefix("Value error, ")
            if first["type"].startswith("ip_"):
                problem = "it names what is no network: one is written like 192.0.2.0/24 or 2001:db8::/32"
            raise BadInput(f"the setting {first['loc'][0]} cannot be used: {problem}") from None
        except (SettingsError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"the settings cannot be read: {error}") from None
        except OSError as error:
            raise BadInput(f"the file {self.config} cannot be read: {error.strerror}") from None

    @contextmanager
    def database(self) -> Iterator["Database"]:
        """The open database, which exists and has this version's schema."""
        from gateway.storage.database import Database  # noqa: PLC0415
        from gateway.storage.migrate import at_head  # noqa: PLC0415

        settings = self.settings()
        file = sqlite_file(settings)
        if file is not None and not file.exists():
            raise Failure(f"there is no database at {file}: `trunkline run` or `trunkline migrate` makes it")
        try:
            database = Database.open(settings.url, read_pool=1)
        except ValueError as error:
            raise BadInput(str(error)) from None
        try:
            if not at_head(database):
                raise Failure("the database has not this version's schema: `trunkline migrate` brings it there")
            yield database
        finally:
            database.close()


def sqlite_file(settings: "Settings") -> Path | None:
    """The file of the embedded database, or None where the settings name another one."""
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        url = make_url(settings.url)
    except ArgumentError:
        return None
    return Path(url.database).absolute() if url.drivername.startswith("sqlite") and url.database else None


def session() -> Session:
    """What the global options say of the command that runs."""
    found = click.get_current_context().meta.setdefault(_META, Session())
    assert isinstance(found, Session)  # noqa: S101 (nobody else writes there)
    return found


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    # Also called for a subcommand, where the option may stand as well: the innermost wins.
    def remember(context: click.Context, _: click.Parameter, value: Any) -> None:
        known: Session = context.meta.setdefault(_META, Session())
        if value is None or value is False:
            return
        if name in ("config", "json"):
            setattr(known, name, value)
        else:
            known.options[name] = value

    return remember


def _global_options() -> list[click.Parameter]:
    folder = click.Path(file_okay=False, path_type=Path)
    file = click.Path(dir_okay=False, path_type=Path)

    def option(name: str, help_: str, **rest: Any) -> click.Option:
        target = name.removeprefix("--").replace("-", "_")
        return click.Option([name], help=help_, expose_value=False, callback=_remember(target), **rest)

    return [
        option("--data", "Folder of everything that is kept.", type=folder),
        option("--database-url", "postgresql://… instead of SQLite in that folder.", metavar="URL"),
        option("--config", "TOML file of settings.", type=file),
        option("--json", "Print one JSON value.", is_flag=True),
    ]


class Command(click.Command):
    """A command that takes the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_global_options())


class Group(click.Group):
    """A group of commands; the global options may stand before the command, too."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_global_options())


@contextmanager
def rendered() -> Iterator[None]:
    """Turn whatever ends a command into one line on stderr and an exit code; never a traceback."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.UsageError as error:
        _fail(_usage(error), 2)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except click.Abort:
        _fail("interrupted", 130)
    except Taken as error:
        _fail(str(error), 2)
    except (Conflict, Incompatible, Unavailable) as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error), 1)
    except Exception as error:  # noqa: BLE001 (the text of an unknown error may hold a secret: it is not shown)
        place = traceback.extract_tb(error.__traceback__)[-1]
        _fail(f"failed unexpectedly: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}", 1)


def _usage(error: click.UsageError) -> str:
    text = error.format_message()
    if error.ctx is not None and (
        not isinstance(error, click.BadParameter) or isinstance(error, click.MissingParameter)
    ):
        text += f" (`{error.ctx.command_path} --help` shows how)"
    return text


def _fail(text: str, code: int) -> NoReturn:
    click.echo(f"trunkline: {' '.join(text.split())}", err=True)
    sys.exit(code)
