"""How a process that lives long looks after its memory, once it has all its parts.

What a request makes dies with its last reference: the collector only has cycles to find, and looked
for as often as Python does by itself, they cost a process under load a quarter of its time.
"""

import gc

THRESHOLDS = (50_000, 20, 100)
QUIET_SECONDS = 600.0
LONGEST_SECONDS = 3_600.0


def settle_memory() -> None:
    """What there is now stays, and is not looked through again; what comes is, less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class Garbage:
    """When a process that remembers much, and makes no cycles on its usual ways, looks for garbage
    all the same: each look goes through all that it remembers, and everybody waits. So at a moment
    in which nothing was done since the last one, ten minutes after the last look, or else after an
    hour."""

    def __init__(self, now: float) -> None:
        self.looked = now
        self.done = 0

    def is_due(self, done: int, now: float) -> bool:
        """`done` counts what the process has done, `now` is in seconds."""
        is_quiet, self.done = done == self.done, done
        if now - self.looked < (QUIET_SECONDS if is_quiet else LONGEST_SECONDS):
            return False
        self.looked = now
        return True
