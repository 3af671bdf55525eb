"""What an access may do: by its state, its protocol and its operations."""

from gateway.operations.errors import Code, Refusal
from gateway.storage.records import Access


def check_access(access: Access, protocol: str, now: int) -> None:
    """Raise `Refusal` (NOT_PERMITTED, naming the reason) where the access is of no use here and now.

    What a session is opened with: revoked, expired, of a suspended account, or not for this protocol. `now` is in
    UTC microseconds.
    """
    if access.revoked:
        raise Refusal(Code.NOT_PERMITTED, "This access was revoked.")
    if access.expires_at is not None and now >= access.expires_at:
        raise Refusal(Code.NOT_PERMITTED, "This access has expired.")
    if access.account.suspended:
        raise Refusal(Code.NOT_PERMITTED, "The account is suspended.")
    if access.protocols is not None and protocol not in access.protocols:
        raise Refusal(Code.NOT_PERMITTED, f"This access may not be used by the protocol {protocol}.")


def check(access: Access, protocol: str, class_name: str, method: str, now: int) -> None:
    """Raise `Refusal` (NOT_PERMITTED, naming the reason) where the access may not make this call.

    `class_name` and `method` are the catalogue's, lower case; an access names the operations it may use as
    `class.method`, or `class` for all of a class.
    """
    check_access(access, protocol, now)
    operations = access.operations
    if operations is not None and class_name not in operations and f"{class_name}.{method}" not in operations:
        raise Refusal(Code.NOT_PERMITTED, f"This access may not use the operation {class_name}.{method}.")
