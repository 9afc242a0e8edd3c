"""Which modules of the package a module runs: its imports, lazy ones too, followed to the end."""

import ast
from functools import cache
from pathlib import Path

import manywalks

PACKAGE = Path(manywalks.__file__).resolve().parent
# found by name at run time: train.engines imports one of its ENGINES
BY_NAME = {"manywalks.train.engines"}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, those of tasks and flows included."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(["manywalks", *parts]).removesuffix(".__init__")] = path
    # rglob follows no links
    for folder in ("tasks", "flows"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            found[f"manywalks.{folder}.{path.stem}".removesuffix(".__init__")] = path
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    """Modules of the package that a module imports, inside functions too; not for types alone."""
    known = modules()
    found: set[str] = set()
    for node in _run(ast.parse(known[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` may name a module or something inside one
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(names & known.keys() or {node.module})
        elif module in BY_NAME and isinstance(node, ast.Constant):
            found.add(str(node.value))
    return frozenset(found & known.keys()) - {module}


def _run(tree: ast.AST):
    """All nodes but those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _run(node)


def closure(module: str) -> set[str]:
    """The module and all that it imports, directly or through others."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(imports_of(name))
    return seen
