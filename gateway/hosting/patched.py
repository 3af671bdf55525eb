"""gevent's patching of the standard library, for the web role alone and before it loads anything else."""

from gevent import monkey


def patch() -> None:
    """Make what blocks cooperative.

    Processes and signals stay the originals: gunicorn's master starts, signals and reaps its workers itself.
    """
    monkey.patch_all(os=False, signal=False)
