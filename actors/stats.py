"""What an owner counts, as plain numbers that travel to the API's metrics."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any

from actors.heat import Heat
from actors.wire import Done, Elsewhere, Failed, Moved, Reply
from domain.commands import Request

BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Entries per append, upper bounds."""
APPEND_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Seconds per append, upper bounds."""
ANSWERED = (Done, Elsewhere)
UNDECIDED = (Failed, Moved)


class Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def as_dict(self) -> dict[str, Any]:
        return {"bounds": list(self.bounds), "counts": self.counts, "sum": self.total}


class OwnerStats:
    def __init__(self) -> None:
        self.heat = Heat()
        self.commands: Counter[type] = Counter()
        self.refusals: Counter[str] = Counter()
        self.batch_sizes = Histogram(BATCH_BUCKETS)
        self.append_seconds = Histogram(APPEND_BUCKETS)
        self.busy = 0
        self.stale = 0
        self.duplicates = 0

    def count(self, requests: Sequence[Request], replies: Sequence[Reply]) -> None:
        pairs = zip(requests, replies, strict=True)
        self.heat.count([request for request, reply in pairs if type(reply) not in UNDECIDED])
        self.commands.update([type(request.lines[0][1]) for request in requests])
        for reply in replies:
            if not isinstance(reply, ANSWERED):
                self.refusals[reply.code] += 1

    def appended(self, entries: int, seconds: float) -> None:
        self.batch_sizes.add(entries)
        self.append_seconds.add(seconds)

    def as_dict(self) -> dict[str, Any]:
        return {
            "commands": {kind.__name__.lower(): n for kind, n in self.commands.items()},
            "refusals": dict(self.refusals),
            "batch_sizes": self.batch_sizes.as_dict(),
            "append_seconds": self.append_seconds.as_dict(),
            "busy": self.busy,
            "stale_appends": self.stale,
            "duplicate_requests": self.duplicates,
            **self.heat.as_dict(),
        }
