"""What the service can do: one file per class of operations, each declared once in the catalogue."""

from importlib import import_module
from pkgutil import iter_modules

_INFRASTRUCTURE = {"catalogue", "context", "errors"}

for _module in iter_modules(__path__):
    if _module.name not in _INFRASTRUCTURE:
        import_module(f"{__name__}.{_module.name}")
