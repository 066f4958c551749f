"""A filled shop that stands until its input ends: run as a file, in any checkout, by its Python."""

import sys

from benchmarks.shop import shop
from infra.embedded.process import open_many_files


def main() -> None:
    open_many_files()
    with shop() as started:
        started.wait()
        started.fill()
        started.settle()
        print("held", started.port, started.token(), *started.roles()["api"], flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
