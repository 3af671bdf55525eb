"""Rows of the log of calls that the database refuses: nobody waits for them, so this is their one trace."""

from gateway import logs, metrics
from gateway.storage.submission import LOG_COLUMNS, Row

_REQUEST_ID = LOG_COLUMNS.index("request_id")


def log_row_refused(row: Row, error: BaseException) -> None:
    """Count it, and name the call in the process's own log; none of the row's values but its request id is told."""
    metrics.log_row_refused()
    logs.failure("a row of the log of calls was refused", error, request_id=row[_REQUEST_ID])
