"""From `onhand serve` in an empty home to the first reservation that is committed."""

import time
from typing import NamedTuple

from benchmarks.shop import shop


class Start(NamedTuple):
    """Seconds since the command was given, and CPU seconds of all processes until ready."""

    ready: float
    reserved: float
    cpu: float


def start_once() -> Start:
    begun = time.monotonic()
    with shop() as started:
        started.wait()
        ready = time.monotonic() - begun
        cpu = started.cpu_seconds()
        started.fill()
        started.reserve()
        return Start(ready, time.monotonic() - begun, cpu)
