"""A process that reads the settings, migrates the database and makes the first start, for the supervisor.

It answers with lines of JSON on its standard output, which is a pipe: first what the supervisor needs of the
settings; then, told to go on by a line on its standard input, what the first start made, secrets too.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from gateway.commands.framework import BadInput, Session, rendered


def main() -> None:
    """Prepare; exits with 2 for settings that cannot be used and with 1 for any other failure, after one line."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints is no answer.
    os.dup2(2, 1)

    def answer(fields: dict[str, Any]) -> None:
        print(json.dumps(fields), file=answers, flush=True)

    with rendered():
        settings = Session(config=_config()).settings()
        answer(
            {
                "data": str(settings.data.absolute()),
                "http": settings.http,
                "smpp": settings.smpp,
                "smpp_tls": settings.smpp_tls if settings.smpp and settings.smpp_secure else "",
                "allow_plaintext": sorted(settings.allow_plaintext),
                "public_url": settings.public_url,
            }
        )
        from gateway.storage import bootstrap  # noqa: PLC0415 - loaded while the supervisor looks at the answer
        from gateway.storage.database import Database  # noqa: PLC0415
        from gateway.storage.migrate import migrate  # noqa: PLC0415

        if not sys.stdin.readline():
            return
        try:
            database = Database.open(settings.url, read_pool=1)
        except ValueError as error:
            raise BadInput(str(error)) from None
        try:
            migrate(database)
            made = bootstrap.first_start(database)
        finally:
            database.close()
        answer({"first_start": made})


def _config() -> Path | None:
    arguments = sys.argv[1:]
    return Path(arguments[1]) if arguments[:1] == ["--config"] else None


if __name__ == "__main__":
    main()
