"""What one transaction of the writer does: claims keys, debits balances, inserts rows.

Balances are locked in the order of their accounts, in every process. A claim is decided under its account's lock,
so two processes never decide one key at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.clock import DAY
from gateway.storage.statements import Statements
from gateway.storage.submission import (
    BATCH_COLUMNS,
    COMMITTED,
    KEY_TAKEN,
    LOG_COLUMNS,
    MESSAGE_COLUMNS,
    NO_CREDITS,
    Claim,
    Repeated,
    Row,
    Submission,
    Verdict,
)

IDEMPOTENCY_LIFE = DAY

_KNOWN_CLAIM = (
    "SELECT account_id, key, fingerprint, answer FROM idempotency WHERE account_id = ? AND key = ? AND at > ?"
)
_KNOWN_CLAIMS = (  # in one round trip
    "SELECT account_id, key, fingerprint, answer FROM unnest(?::bigint[], ?::varchar[]) AS wanted (account_id, key)"
    " JOIN idempotency USING (account_id, key) WHERE at > ?"
)
_OPEN_BATCH = "UPDATE batch SET opened_at = ?, count = ?, credits = ? WHERE id = ? AND opened_at IS NULL"

# PostgreSQL only; on SQLite a writer has its turn.
_LOCK = "SELECT account_id, credits FROM balance WHERE account_id = ANY(?::bigint[]) ORDER BY account_id FOR UPDATE"
_SPEND = (
    "UPDATE balance SET credits = credits - spent.amount"
    " FROM unnest(?::bigint[], ?::bigint[]) AS spent (account_id, amount)"
    " WHERE balance.account_id = spent.account_id AND balance.credits >= spent.amount RETURNING balance.account_id"
)

_LEDGER = ("account_id", "at", "kind", "amount")


@dataclass(slots=True)
class _Rows:
    messages: list[Row] = field(default_factory=list)
    log: list[Row] = field(default_factory=list)
    claims: list[Row] = field(default_factory=list)
    batches: list[Row] = field(default_factory=list)
    openings: list[tuple[int, int, int, int]] = field(default_factory=list)


def apply(
    statements: Statements, submissions: Sequence[Submission], posts: Sequence[Row], now: int, short: set[int]
) -> list[Verdict]:
    """Write the submissions that can be, and the log rows `posts`; give each submission's verdict, in order.

    Runs inside a transaction that the caller begins and commits. A refusal writes nothing but its log row.
    `short` is kept by the caller between transactions: the accounts whose balance was too low lately.
    """
    hopeful = statements.dialect == "postgresql" and _may_hope(submissions, short)
    if hopeful and _apply_hoping(statements, submissions, posts, now, short):
        return [COMMITTED] * len(submissions)
    locked = sorted({s.account_id for s in submissions if s.debit or s.claim})
    balances = _lock(statements, locked) if locked else {}
    known = _known_claims(statements, submissions, now)
    spent: dict[int, int] = {}
    rows = _Rows(log=list(posts))
    verdicts = []
    for submission in submissions:
        verdict = _decide(submission, balances, spent, known)
        verdicts.append(verdict)
        _collect(rows, submission, verdict, now)
    _charge(statements, spent)
    _write(statements, rows, spent, now)
    short.difference_update(locked)
    short.update(s.account_id for s, verdict in zip(submissions, verdicts, strict=True) if verdict is NO_CREDITS)
    return verdicts


def _may_hope(submissions: Sequence[Submission], short: set[int]) -> bool:
    return not any(s.claim is not None or s.account_id in short for s in submissions)


def _apply_hoping(
    statements: Statements, submissions: Sequence[Submission], posts: Sequence[Row], now: int, short: set[int]
) -> bool:
    """Write everything as if every balance covered it, and debit last; False, and nothing is done, if one does not.

    So the balances, which other processes wait for, are locked for the debit and the commit alone.
    """
    statements.later("SAVEPOINT hope")
    rows = _Rows(log=list(posts))
    spent: dict[int, int] = {}
    for submission in submissions:
        if submission.debit:
            spent[submission.account_id] = spent.get(submission.account_id, 0) + submission.debit
        _collect(rows, submission, COMMITTED, now)
    _write(statements, rows, spent, now)
    if not spent:
        return True
    accounts = sorted(spent)
    statements.later(_LOCK, accounts)
    covered = {row[0] for row in statements.all(_SPEND, accounts, [spent[account] for account in accounts])}
    if len(covered) == len(accounts):
        return True
    short.update(set(accounts) - covered)
    statements.run("ROLLBACK TO SAVEPOINT hope")
    return False


def _lock(statements: Statements, accounts: list[int]) -> dict[int, int]:
    """The balances (micro-credits) of the accounts, locked until the transaction ends."""
    if statements.dialect == "sqlite":
        return dict(statements.fetch("SELECT account_id, credits FROM balance WHERE account_id IN {}", accounts))
    return dict(statements.all(_LOCK, accounts))


def _known_claims(
    statements: Statements, submissions: Sequence[Submission], now: int
) -> dict[tuple[int, str], tuple[str, str]]:
    """What the claims of these submissions were answered before: a probe of the primary key for each."""
    wanted = {(s.account_id, s.claim.key) for s in submissions if s.claim}
    if not wanted:
        return {}
    since = now - IDEMPOTENCY_LIFE
    if statements.dialect == "sqlite":
        found = [row for account, key in wanted for row in statements.all(_KNOWN_CLAIM, account, key, since)]
    else:
        accounts, keys = zip(*wanted, strict=True)
        found = statements.all(_KNOWN_CLAIMS, list(accounts), list(keys), since)
    return {(account, key): (fingerprint, answer) for account, key, fingerprint, answer in found}


def _decide(
    submission: Submission,
    balances: dict[int, int],
    spent: dict[int, int],
    known: dict[tuple[int, str], tuple[str, str]],
) -> Verdict:
    account, claim, debit = submission.account_id, submission.claim, submission.debit
    if claim is not None:
        first = known.get((account, claim.key))
        if first is not None:
            return Repeated(first[1]) if first[0] == claim.fingerprint else KEY_TAKEN
    if debit:
        total = spent.get(account, 0) + debit
        if total > balances.get(account, 0):
            return NO_CREDITS
        spent[account] = total
    if claim is not None:
        known[account, claim.key] = (claim.fingerprint, claim.answer)
    return COMMITTED


def _collect(rows: _Rows, submission: Submission, verdict: Verdict, now: int) -> None:
    if submission.log is not None:
        rows.log.append(submission.log(verdict))
    if verdict is not COMMITTED:
        return
    rows.messages.extend(submission.messages)
    if submission.claim is not None:
        rows.claims.append(_claim_row(submission.account_id, submission.claim, now))
    if submission.batch is not None:
        rows.batches.append(submission.batch)
    if submission.opens is not None:
        batch_id, count, credits_ = submission.opens
        rows.openings.append((now, count, credits_, batch_id))


def _claim_row(account_id: int, claim: Claim, now: int) -> Row:
    return (account_id, claim.key, claim.fingerprint, claim.answer, now)


def _charge(statements: Statements, spent: dict[int, int]) -> None:
    statements.many(
        "UPDATE balance SET credits = credits - ? WHERE account_id = ?",
        [(amount, account) for account, amount in sorted(spent.items())],
    )


def _write(statements: Statements, rows: _Rows, spent: dict[int, int], now: int) -> None:
    if spent:
        statements.insert("ledger", _LEDGER, [(account, now, "debit", -amount) for account, amount in spent.items()])
    if rows.claims:
        statements.many(
            "INSERT INTO idempotency (account_id, key, fingerprint, answer, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (account_id, key) DO UPDATE SET"
            " fingerprint = excluded.fingerprint, answer = excluded.answer, at = excluded.at",
            rows.claims,
        )
    statements.insert("batch", BATCH_COLUMNS, rows.batches)
    statements.insert("message", MESSAGE_COLUMNS, rows.messages)
    statements.insert("call_log", LOG_COLUMNS, rows.log)
    if statements.many(_OPEN_BATCH, rows.openings) != len(rows.openings):
        raise LookupError("a batch that was to be opened is gone")
