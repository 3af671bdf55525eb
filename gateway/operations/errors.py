"""The error codes of the contract, and the exception that carries one to the reply."""

from collections.abc import Mapping
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
    OPTED_OUT = "OPTED_OUT"


MEANING: Mapping[Code, str] = {
    Code.MISSING_USER: "No user was given. Send the access's login, or the account's e-mail.",
    Code.MISSING_PASSWORD: "No password was given. Send the access's secret, or the account's password.",
    Code.MISSING_CLASS: "No class was given, for example `sms`.",
    Code.MISSING_METHOD: "No method was given, for example `sendsms`.",
    Code.TOO_MANY_REQUESTS: "Too many failed logins from your address, or more calls a second than the access may"
    " make. Wait, then call again.",
    Code.IP_NOT_ALLOWED: "The access may not be used from your address. Have it added to the access's networks.",
    Code.INCORRECT_USER_PASSWORD: "The user does not exist or the password is wrong; which of the two is not told.",
    Code.INCORRECT_CLASS: "There is no such class. `detail` lists those that exist.",
    Code.INCORRECT_METHOD: "The class has no such method. `detail` lists those it has.",
    Code.NOT_PERMITTED: "The access has expired or was revoked, its account is suspended, or it may not use this"
    " protocol or operation. `detail` says which.",
    Code.MISSING_COMPULSORY_PARAM: "A compulsory parameter is missing or empty. `detail` names it.",
    Code.INCORRECT_PARAM: "A parameter cannot be used. `detail` names it and says why.",
    Code.INCORRECT_TYPE: "Templates and groups of this type do not exist here; use `mobile`.",
    Code.MISSING_MAIN_FIELD: "A contact needs its number.",
    Code.OPTED_OUT: "The recipient wants no more messages from this account: it answered STOP, or was put on the"
    " account's opt-out list. Nothing was sent or charged.",
    Code.NO_ROUTE_AVAILABLE: "No route serves the destination. Nothing was sent or charged.",
    Code.NO_CREDITS: "The balance does not cover the send. Nothing was sent or charged.",
    Code.NOT_ACCESS_TO_TEMPLATE: "The account has no such template.",
    Code.NOT_ACCESS_TO_GROUP: "The account has no such group or contact.",
    Code.UNAVAILABLE: "The gateway cannot store anything now. Nothing was sent; call again in some seconds.",
    Code.INTERNAL_ERROR: "Something failed on our side. `detail` gives the id to report it with.",
}
"""What each code tells a customer, and what to do about it; in the order in which they win."""


class Refusal(Exception):
    """A call is answered with an error.

    `code` is one of `Code`; `detail` one sentence for the caller that names the parameter and what is wrong
    with it, safe to show and to log; `parameter` that one's name, for front ends that have a code for each.
    """

    def __init__(self, code: Code, detail: str, parameter: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.parameter = parameter
