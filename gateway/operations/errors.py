"""The error codes of the contract, and the exception that carries one to the reply."""

from enum import StrEnum


class Code(StrEnum):
    """Every error code that a call can be answered with."""

    MISSING_USER = "MISSING_USER"
    MISSING_PASSWORD = "MISSING_PASSWORD"  # noqa: S105 - a code, no secret
    MISSING_CLASS = "MISSING_CLASS"
    MISSING_METHOD = "MISSING_METHOD"
    MISSING_COMPULSORY_PARAM = "MISSING_COMPULSORY_PARAM"
    INCORRECT_USER_PASSWORD = "INCORRECT_USER_PASSWORD"  # noqa: S105
    INCORRECT_CLASS = "INCORRECT_CLASS"
    INCORRECT_METHOD = "INCORRECT_METHOD"
    INCORRECT_PARAM = "INCORRECT_PARAM"
    INCORRECT_TYPE = "INCORRECT_TYPE"
    MISSING_MAIN_FIELD = "MISSING_MAIN_FIELD"
    NO_ROUTE_AVAILABLE = "NO_ROUTE_AVAILABLE"
    NO_CREDITS = "NO_CREDITS"
    NOT_ACCESS_TO_TEMPLATE = "NOT_ACCESS_TO_TEMPLATE"
    NOT_ACCESS_TO_GROUP = "NOT_ACCESS_TO_GROUP"
    IP_NOT_ALLOWED = "IP_NOT_ALLOWED"
    NOT_PERMITTED = "NOT_PERMITTED"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Refusal(Exception):
    """A call is answered with an error.

    `code` is one of `Code`; `detail` one sentence for the caller that names the parameter and what is wrong
    with it, safe to show and to log.
    """

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
