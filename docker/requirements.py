"""Print the part of requirements.lock that `manywalks serve` needs: what is named below, and what these need.

    python docker/requirements.py requirements.lock

The lock says of each package which others asked for it ("via"), so nothing has to be resolved again.
"""

import re
import sys
from pathlib import Path

SERVE = {
    "chembl-structure-pipeline", "fastapi", "filelock", "h5py", "httpx", "jinja2", "llvmlite", "markupsafe",
    "numba", "numpy", "openpyxl", "pandas", "prometheus-client", "psutil", "pyarrow", "pydantic", "pyyaml",
    "rdkit", "rich", "ruamel-yaml", "scipy", "threadpoolctl", "typer", "uvicorn",
}  # fmt: skip


def entries(lock: str) -> dict[str, str]:
    """Each package's lines by its name; some have one version for each version of Python."""
    found: dict[str, str] = {}
    for part in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if "==" in part:
            name = plain(re.split(r"[\[=]", part, maxsplit=1)[0])
            found[name] = found.get(name, "") + part
    return found


def plain(name: str) -> str:
    """A name as comparison wants it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_by(part: str) -> set[str]:
    """Packages that asked for one, by the comment behind it."""
    said = re.findall(r"^ +# +(?:via )?(\S+)$", part, flags=re.MULTILINE)
    return {plain(re.split(r"[\[(]", name, maxsplit=1)[0]) for name in said}


def needed(packages: dict[str, str]) -> list[str]:
    """Names of what is served with, and all that they need."""
    missing = SERVE - packages.keys()
    if missing:
        raise SystemExit(f"requirements.lock lacks {', '.join(sorted(missing))}")
    found = set(SERVE)
    while more := {name for name, part in packages.items() if asked_by(part) & found} - found:
        found |= more
    return sorted(found)


def main() -> None:
    """Print the lock's lines."""
    packages = entries(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("".join(packages[name] for name in needed(packages)))


if __name__ == "__main__":
    main()
