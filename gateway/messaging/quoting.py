"""How error texts show a customer's value."""


def quote(value: str) -> str:
    """Give a value's first 20 characters in quotes; what does not print, lone surrogates too, is escaped."""
    return repr(value if len(value) <= 20 else value[:20] + "…")
