"""The schema as SDL, committed beside this file so that every change of it is read in review.

`python -m schema.printed` writes it, `--check` only says whether the committed one is fresh.
"""

import sys
from pathlib import Path

from graphql import print_schema

from schema.build import build

FILE = Path(__file__).with_name("schema.graphql")
STALE = f"{FILE.name} is not what the code says: run `make schema`, read the change, commit it\n"


def printed() -> str:
    return print_schema(build()._schema) + "\n"


def main(arguments: list[str]) -> int:
    text = printed()
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(STALE)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
