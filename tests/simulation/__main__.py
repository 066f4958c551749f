"""`python -m tests.simulation SEED [SEEDS]` plays one seed, or so many from there on."""

import sys
from time import perf_counter

from tests.simulation.seeds import play_all, play_many, report


def main() -> None:
    first = int(sys.argv[1])
    seeds = range(first, first + int(sys.argv[2]) if len(sys.argv) > 2 else first + 1)
    started = perf_counter()
    failures = play_all(seeds) if len(seeds) == 1 else play_many(seeds)
    if failures:
        sys.exit(report(failures))
    print(f"{len(seeds)} seeds from {first}: the books balance, {perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
