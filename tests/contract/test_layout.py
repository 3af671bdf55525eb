"""The layout that a newcomer is promised: imports run one way, files can be read in one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "gateway"
LONGEST = 400

# What each package may import of the others. Top-level modules: see LEAVES and ROOTS.
ALLOWED: dict[str, set[str]] = {
    "messaging": set(),
    "smpp": set(),
    "storage": {"messaging"},
    "operations": {"messaging", "storage"},
    "pipeline": {"operations", "messaging", "storage"},
    "links": {"smpp"},
    "frontends": {"pipeline", "operations", "messaging", "storage", "smpp", "links"},
    "panel": {"pipeline", "operations", "messaging", "storage"},
    "carriers": {"messaging", "storage", "smpp", "links"},
    "smsc": {"carriers", "messaging", "smpp", "links"},
    "dispatch": {"carriers", "messaging", "storage"},
}
# Modules that anything but messaging and smpp may import: they import nothing of the rest themselves.
LEAVES = {"clock", "settings", "metrics", "logs"}
# The composition root and the command line know every part.
ROOTS = {"app", "cli", "commands", "docs", "supervisor", "web", "hosting", "__main__", "__init__"}


def _modules() -> list[Path]:
    return sorted(path for path in GATEWAY.rglob("*.py") if "versions" not in path.parts)


def _imports(path: Path) -> set[str]:
    """The first part below `gateway` of everything a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "gateway":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gateway."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("gateway.")}
    return found


def _part(path: Path) -> str:
    return path.relative_to(GATEWAY).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    part = _part(path)
    if part in ROOTS:
        return
    if part in LEAVES:
        allowed = LEAVES | {"__version__"}
    else:
        assert part in ALLOWED, f"{part} is no part of the layout; say in this test what it may import"
        leaves = {"clock"} if part == "messaging" else LEAVES | {"__version__"}
        allowed = ALLOWED[part] | {part} | leaves
    wrong = _imports(path) - allowed
    assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_says_what_it_is(path: Path) -> None:
    if path.name != "__init__.py" or path.read_text("utf-8").strip():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
