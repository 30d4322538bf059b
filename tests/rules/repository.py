"""What the repository holds: its files, and what its Python modules import."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".venv", ".git", "var", "static-collected", "__pycache__", "node_modules"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that git knows or would take; without git, every one that is not made at run time."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        paths = (path for path in ROOT.rglob("*") if not _NOT_OURS & set(path.relative_to(ROOT).parts))
    else:
        paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*folders: str) -> list[Path]:
    return [
        path
        for path in files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in folders
        and "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    """A file's name as people write it: relative to the repository, with slashes."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def text_of(path: Path) -> str | None:
    """None for a file that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def imports(path: Path) -> set[str]:
    """Dotted names that the module imports anywhere in it; ``from a import b`` gives both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, path)
            found.add(origin)
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    return found


def _origin(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = list(path.relative_to(ROOT).parent.parts)
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, node.module] if node.module else package)


def reaches(path: Path, *names: str) -> list[str]:
    """Those of the module's imports that are one of ``names`` or lie inside it."""
    return sorted(
        imported
        for imported in imports(path)
        if any(imported == name or imported.startswith(f"{name}.") for name in names)
    )
