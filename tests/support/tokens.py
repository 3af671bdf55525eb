"""JSON Web Tokens made by hand, wrong ones above all, and the web front ends of a gateway without its server."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import Client, TestResponse

from gateway import app, clock
from gateway.frontends import web_routes
from gateway.hosting.site import dispatcher
from gateway.operations.catalogue import Operation
from gateway.pipeline.call import Call, Reply
from gateway.settings import Settings
from gateway.storage import passwords
from gateway.storage.database import Database
from gateway.storage.hosts import DirectHost
from gateway.storage.queries import accesses, accounts, keys, log
from gateway.storage.writer import Writer

AUDIENCE = "https://sms.example.com"
KINDS = ("RS256", "ES256", "EdDSA")
HOME = "192.0.2.10"
ELSEWHERE = "198.51.100.66"

Json = Mapping[str, Any]
Sign = Callable[[bytes], bytes]


@cache
def private_key(kind: str, number: int) -> Any:
    """A key of the kind that an algorithm uses; every number has another."""
    if kind == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else ed25519.Ed25519PrivateKey.generate()


def public_pem(kind: str, number: int = 0) -> str:
    """The public part of `private_key`."""
    public = private_key(kind, number).public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def signer(kind: str, number: int = 0) -> Sign:
    """What signs by an algorithm, with `private_key`."""
    key = private_key(kind, number)

    def sign(data: bytes) -> bytes:
        if kind == "RS256":
            return bytes(key.sign(data, padding.PKCS1v15(), SHA256()))
        if kind == "EdDSA":
            return bytes(key.sign(data))
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def hmac_signer(secret: bytes, digest: str = "sha256") -> Sign:
    """What signs by HS256 or another of its family."""
    return lambda data: hmac.new(secret, data, getattr(hashlib, digest)).digest()


def encoded(data: bytes | Json) -> str:
    """base64url without padding, of bytes or of an object's JSON."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(header: bytes | Json, claims: bytes | Json, sign: Sign) -> str:
    """A token, whatever is in it."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A token's header, claims and signature."""
    raw = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")]
    return json.loads(raw[0]), json.loads(raw[1]), raw[2]


class Doors:
    """A gateway with every web front end, an account, and accesses `tl_shop`, `tl_other` (of another account) and
    `tl_home` (from `HOME` only), each with `secret`. `tl_shop` signs with a key of each kind, whose kid is the
    algorithm's name."""

    def __init__(self, database: Database, folder: Path, **settings: Any) -> None:
        self.database = database
        self.secret = passwords.new_secret()
        self.host = DirectHost(Writer(database))
        self.access_ids: dict[str, int] = {}
        now = clock.now()
        with database.transaction() as connection:
            self.account_id = accounts.create(connection, "ana@example.com", now=now)
            other = accounts.create(connection, "bob@example.com", now=now)
            self._add(connection, self.account_id, "tl_shop")
            self._add(connection, self.account_id, "tl_home", networks=f'["{HOME}/32"]')
            self._add(connection, other, "tl_other")
            for kind in KINDS:
                access_id = self.access_ids["tl_shop"]
                keys.add(connection, self.account_id, access_id, kind, kind, public_pem(kind), now)
        given = Settings(data=folder, public_url=f"{AUDIENCE}/", trusted_proxies="", **settings)
        self.gateway = app.build(given, database, self.host, self)
        self._client = Client(dispatcher(web_routes(self.gateway)))

    def _add(self, connection: Any, account_id: int, login: str, **more: Any) -> None:
        stored, now = passwords.hash_secret(self.secret), clock.now()
        self.access_ids[login] = accesses.create(connection, account_id, login, login, stored, now=now, **more)

    def call(self, call: Call, reply: Reply, operation: Operation | None) -> None:
        """Nobody counts."""

    def failure(self, call: Call, error: BaseException) -> None:
        """Takes failures to be the tests' own."""
        raise error

    def ask(self, path: str, source: str = ELSEWHERE, **more: Any) -> TestResponse:
        """A request; GET, or POST with `data` or `json`."""
        self.gateway.refresh()
        method = "POST" if "data" in more or "json" in more else "GET"
        return self._client.open(
            path, method=more.pop("method", method), environ_overrides={"REMOTE_ADDR": source}, **more
        )

    def balance(self, text: str, source: str = ELSEWHERE, headers: Mapping[str, str] | None = None) -> TestResponse:
        """A balance query with a token."""
        given = {"Authorization": f"Bearer {text}", **(headers or {})}
        return self.ask("/api/jwt/?class=user&method=getbalance", source, headers=given)

    def refused(self, text: str, source: str = ELSEWHERE) -> str:
        """Why a token is refused, as an invalid one is; fails where it is not."""
        answer = self.balance(text, source)
        assert answer.status_code == 401, answer.data
        body: dict[str, str] = answer.get_json()
        assert body["error"] == "INCORRECT_USER_PASSWORD"
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        return body["detail"]

    def accepted(self, text: str, source: str = ELSEWHERE) -> bool:
        """Whether a token is good for a call; fails where it is refused for another reason than itself."""
        answer = self.balance(text, source)
        assert answer.status_code in (200, 401), answer.data
        return answer.status_code == 200

    def log_in(self, login: str = "tl_shop", source: str = ELSEWHERE) -> dict[str, Any]:
        """The tokens that an access is given."""
        answer = self.ask("/api/jwt/token", source, data={"user": login, "password": self.secret})
        assert answer.status_code == 200, answer.data
        return dict(answer.get_json())

    def renew(self, refresh_token: str, source: str = ELSEWHERE) -> TestResponse:
        """What a refresh token is answered."""
        data = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.ask("/api/jwt/token", source, data=data)

    def revoke(self, text: str, source: str = ELSEWHERE) -> TestResponse:
        """What the revocation of a token is answered."""
        return self.ask("/api/jwt/revoke", source, data={"token": text})

    def change(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Run a query of `accesses` or `keys` for an access of the account, as a command would."""
        with self.database.transaction() as connection:
            work(connection, self.account_id, *arguments)

    def logged(self) -> list[dict[str, Any]]:
        """Every entry of the log, the oldest first."""
        for row in self.gateway.logbook.due(None):
            self.host.post(row)
        self.host.flush()
        with self.database.read() as connection:
            return list(log.search(connection, since=0, limit=1000).entries[::-1])

    def close(self) -> None:
        self.host.close()
        self.gateway.buckets.close()


class Credulous:
    """In place of the library that verifies signatures: takes each for right, by whatever algorithm."""

    def decode(self, text: str, *_: Any, **__: Any) -> bytes:
        """A token's claims."""
        return json.dumps(parts(text)[1]).encode()


def header(kind: str = "ES256", **changes: Any) -> dict[str, Any]:
    """The header of a good token that `tl_shop` signed; a change to None leaves a member out."""
    return _with({"alg": kind, "typ": "JWT", "kid": kind}, changes)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token that `tl_shop` signed; a change to None leaves a claim out."""
    now = int(time.time())
    good = {"iss": "tl_shop", "sub": "tl_shop", "aud": AUDIENCE, "iat": now, "exp": now + 300, "jti": "first"}
    return _with(good, changes)


def own_token(kind: str = "ES256", **changes: Any) -> str:
    """A token that `tl_shop` signed, good but for what is changed in its claims."""
    return token(header(kind), claims(**changes), signer(kind))


def _with(good: dict[str, Any], changes: Json) -> dict[str, Any]:
    return {name: value for name, value in {**good, **changes}.items() if value is not None}
