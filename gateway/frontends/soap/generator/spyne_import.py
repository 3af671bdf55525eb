"""Importing spyne 2.14 on the Pythons that its vendored `six` no longer works on.

`six.moves` finds its modules through `find_module`, which Python 3.12 took away. A finder of today's kind hands
them out before spyne asks.
"""

import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_VENDORED = "spyne.util.six"


class _Moves(MetaPathFinder, Loader):
    """Finds the modules below `six.moves` where the vendored `six` keeps them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if fullname.startswith(f"{_VENDORED}.moves") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        found: ModuleType = sys.modules[_VENDORED]._importer.load_module(spec.name)
        return found

    def exec_module(self, module: ModuleType) -> None:
        """It is made complete."""


def prepare() -> None:
    """Make `import spyne` work; call it before. Does nothing the second time."""
    if not any(isinstance(finder, _Moves) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Moves())
        with warnings.catch_warnings():
            # Python 3.11 and 3.12 warn of the module cgi, 3.12 of escapes in spyne's texts.
            warnings.simplefilter("ignore")
            import spyne.protocol.soap  # noqa: F401, PLC0415 (only what makes the contract loads it)
