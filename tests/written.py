"""Which files of a home docs/security.md names, by its table "file in ONHAND_HOME"."""

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "security.md"
TABLE = re.compile(r"^\| file in `ONHAND_HOME` .*\n\|---.*\n((?:\|.*\n)+)", re.MULTILINE)


def patterns() -> list[re.Pattern[str]]:
    found = TABLE.search(PAGE.read_text())
    assert found is not None
    cells = [row.split("|")[1] for row in found[1].splitlines()]
    return [pattern_of(name) for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def pattern_of(name: str) -> re.Pattern[str]:
    """`*` is part of a name, `**` of a path."""
    parts = re.split(r"(\*\*|\*)", name)
    meant = {"**": ".+", "*": "[^/]+"}
    return re.compile("".join(meant.get(part) or re.escape(part) for part in parts))


def unnamed(home: Path) -> list[str]:
    """Files, sockets and links below it that are in no row, by their path from there."""
    known = patterns()
    found = [path.relative_to(home) for path in sorted(home.rglob("*")) if not is_folder(path)]
    return [str(path) for path in found if not any(one.fullmatch(str(path)) for one in known)]


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
