"""Who binds, and whether he may: the pipeline's own stages, with what takes long beside the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from gateway.frontends.smpp.bound import Mode
from gateway.frontends.smpp.journal import PROTOCOL, Journal, bind_call
from gateway.frontends.smpp.register import Register
from gateway.frontends.smpp.services import Services
from gateway.frontends.smpp.statuses import BIND, BOUND_TOO_OFTEN
from gateway.operations.errors import Code, Refusal
from gateway.pipeline import permit
from gateway.pipeline.authenticate import Guess
from gateway.pipeline.call import Call, Reply
from gateway.smpp.constants import CommandStatus
from gateway.smpp.pdu import Bind
from gateway.storage.errors import Unavailable
from gateway.storage.records import Access

# Slow hashes at a time, and how many may wait for one: five seconds' worth.
_HASHES = 2
_WAITING = 50


class _BoundTooOften(Refusal):
    """The bind limit is reached: of the log's words it is TOO_MANY_REQUESTS, on the wire it has its own status."""


class Binder:
    """Decides binds, and logs what it decided."""

    def __init__(self, services: Services, register: Register, journal: Journal) -> None:
        self._services = services
        self._register = register
        self._journal = journal
        self._hashers = ThreadPoolExecutor(_HASHES, thread_name_prefix="hash")
        self._hashing = 0
        # Those who come with the same credentials at the same time take turns: the first proves them for all.
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def bind(self, pdu: Bind, mode: Mode, source_ip: str, session: int) -> Access | CommandStatus:
        """The access that may bind so and is noted as bound, or the status of the refusal. Never raises."""
        services = self._services
        call = bind_call(pdu, mode, source_ip, session, services.now())
        access: Access | None = None
        tried: Access | None = None
        status = CommandStatus.ESME_ROK
        reply = Reply({"session": str(session)})
        try:
            tried = await self._tried(call.login)
            access = await self._authenticated(call)
            permit.check_access(access, PROTOCOL, services.now())
            await self._noted(session, access)
        except Refusal as refusal:
            status = BOUND_TOO_OFTEN if isinstance(refusal, _BoundTooOften) else BIND[refusal.code]
            reply = Reply(None, refusal.code, refusal.detail)
        except Unavailable as error:
            status, reply = BIND[Code.UNAVAILABLE], Reply(None, Code.UNAVAILABLE, str(error))
        except Exception as error:  # noqa: BLE001 - a bind is always answered
            services.observer.failure(call, error)
            status = BIND[Code.INTERNAL_ERROR]
            reply = Reply(None, Code.INTERNAL_ERROR, f"Something failed here; quote {call.request_id} to report it.")
        try:
            self._journal.call(call, reply, access, tried)
        except Unavailable:
            status = BIND[Code.UNAVAILABLE] if status == CommandStatus.ESME_ROK else status
            if reply.error is None:
                self._register.remove(session)
        if status != CommandStatus.ESME_ROK or access is None:
            return status
        return access

    def still(self, access: Access, source_ip: str) -> Access:
        """The access of a session as it is now. Raises `Refusal` where it may not go on, `Unavailable`."""
        current = self._services.authenticator.again(access, source_ip)
        permit.check_access(current, PROTOCOL, self._services.now())
        return current

    def close(self) -> None:
        """End the threads."""
        self._hashers.shutdown(wait=False, cancel_futures=True)

    async def _tried(self, login: str | None) -> Access | None:
        """The access of this login, which what follows then finds in memory: the loop does not wait for a server."""
        services = self._services
        if not login:
            return None
        if services.database.dialect == "sqlite":
            return services.directory.access(login)
        return await asyncio.to_thread(services.directory.access, login)

    async def _authenticated(self, call: Call) -> Access:
        services, login, secret = self._services, call.login or "", call.secret or ""
        turn = self._turns.setdefault((login, secret), asyncio.Lock())
        async with turn:
            begun = services.authenticator.begin(call)
            if isinstance(begun, Access):
                return begun
            return services.authenticator.finish(begun, await self._verified(begun))

    async def _verified(self, guess: Guess) -> bool:
        authenticator = self._services.authenticator
        if self._hashing >= _WAITING:
            authenticator.give_up(guess)
            raise Refusal(Code.UNAVAILABLE, "Too many logins are being checked: bind again in some seconds.")
        self._hashing += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._hashers, authenticator.verify, guess)
        except BaseException:
            authenticator.give_up(guess)
            raise
        finally:
            self._hashing -= 1

    async def _noted(self, session: int, access: Access) -> None:
        if not await self._register.add(session, access):
            limit = self._register.limit(access)
            raise _BoundTooOften(Code.TOO_MANY_REQUESTS, f"This access may have {limit} sessions at once, and has.")
