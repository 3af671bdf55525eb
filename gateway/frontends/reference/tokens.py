"""The JWT front end's own paths: tokens for credentials, and their end (RFC 6749, RFC 7009)."""

from typing import Any

from gateway.frontends.jwt_tokens import REVOKE_PATH, TOKEN_PATH
from gateway.frontends.reference import replies
from gateway.frontends.reference.doors import Login
from gateway.frontends.reference.examples import samples
from gateway.frontends.reference.examples.call import Call
from gateway.frontends.reference.schemas import PASSWORD, USER, Schema

TAG = {"name": "token", "description": "Tokens of the JWT door, with the names and errors of OAuth 2.0."}

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"

_REFRESH: Schema = {"type": "string", "minLength": 1, "description": "A refresh token, which is used up by it."}

SCHEMAS: dict[str, Schema] = {
    "TokenRequest": {
        "type": "object",
        "properties": {
            "grant_type": {
                "type": "string",
                "enum": ["password", "refresh_token"],
                "description": "Left out, it follows from what else is given.",
            },
            "user": {**USER, "description": USER["description"] + " `username` means the same."},
            "username": {"type": "string", "minLength": 1, "description": "The same as `user`."},
            "password": PASSWORD,
            "refresh_token": _REFRESH,
        },
    },
    "Tokens": {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in", "refresh_token"],
        "properties": {
            "access_token": {"type": "string", "description": "For `Authorization: Bearer`."},
            "token_type": {"type": "string", "const": "Bearer"},
            "expires_in": {"type": "integer", "description": "Seconds until the access token expires."},
            "refresh_token": {"type": "string", "description": "For the next tokens; it can be used once."},
        },
    },
    "RevokeRequest": {
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "minLength": 1, "description": "An access token or a refresh token."},
            "token_type_hint": {"type": "string", "description": "Not needed."},
        },
    },
    "OAuthError": {
        "type": "object",
        "required": ["error", "error_description", "code"],
        "properties": {
            "error": {
                "type": "string",
                "enum": [
                    "invalid_request",
                    "invalid_grant",
                    "unauthorized_client",
                    "unsupported_grant_type",
                    "temporarily_unavailable",
                    "server_error",
                ],
            },
            "error_description": {"type": "string", "description": "One sentence that names what was wrong."},
            "code": {"type": "string", "description": "The error as every front end names it."},
        },
    },
}


def paths(base: str, login: Login) -> dict[str, Any]:
    """The paths by which tokens are given out, renewed and revoked; `base` is the URL in the examples."""
    credentials = {"user": login.user, "password": login.secret}
    return {
        TOKEN_PATH: _path(
            Call(base + TOKEN_PATH, credentials),
            "token",
            "Trade user and password, or a refresh token, for tokens.",
            "TokenRequest",
            {"$ref": "#/components/schemas/Tokens"},
        ),
        REVOKE_PATH: _path(
            Call(base + REVOKE_PATH, {"token": login.token}),
            "revoke",
            "End an access token, or a refresh token and all that came from it; a worthless one is no error.",
            "RevokeRequest",
            {"type": "object"},
        ),
    }


def _path(call: Call, name: str, summary: str, request: str, result: Schema) -> dict[str, Any]:
    body = {"schema": {"$ref": f"#/components/schemas/{request}"}}
    wait = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return {
        "post": {
            "operationId": f"jwt-{name}",
            "tags": [TAG["name"]],
            "summary": summary,
            "description": "The parameters in the body, none in the URL.",
            "security": [],
            "requestBody": {"required": True, "content": {_FORM: body, _JSON: body}},
            "responses": {
                "200": _response("Done.", result),
                "400": _response("RFC 6749, section 5.2.", _ERROR),
                "429": _response("Too many failed logins, or too many calls.", _ERROR, wait),
                "500": _response("Something failed on our side.", _ERROR),
                "503": _response("The gateway cannot store anything now.", _ERROR, wait),
            },
            "x-codeSamples": list(samples(call)),
        }
    }


_ERROR: Schema = {"$ref": "#/components/schemas/OAuthError"}


def _response(description: str, schema: Schema, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"X-Request-Id": replies.REQUEST_ID, **(headers or {})},
        "content": {_JSON: {"schema": schema}},
    }
