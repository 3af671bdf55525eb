"""What the storage says when it cannot serve. The messages are safe to show to a customer."""


class Unavailable(Exception):
    """The database is away, its disk is full, or the writer's queue is: try again later.

    Raised by a commit it means that the outcome is unknown: the rows may be stored.
    """


class Blind(Unavailable):
    """The configuration (accesses, routes, prices) was not confirmed for too long to be trusted."""


class Incompatible(Exception):
    """The database is none of ours, or was made by a newer version. Trying again does not help."""


class Conflict(Exception):
    """What is stored forbids a change: a name is taken, a thing is in use, a balance too small.

    The message is one sentence that says so, and nothing of the change is stored.
    """


class Taken(Conflict):
    """There is one of this name already."""
