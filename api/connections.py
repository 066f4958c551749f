"""How many sockets and event streams each caller has open here: one that leaks them takes the
descriptors and the memory of a process from all others."""

from collections import Counter


class Connections:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.open: Counter[str] = Counter()

    def came(self, subject: str) -> bool:
        """False: there are as many as there may be, and this one is not counted."""
        if self.open[subject] >= self.limit:
            return False
        self.open[subject] += 1
        return True

    def went(self, subject: str) -> None:
        self.open[subject] -= 1
        if not self.open[subject]:
            del self.open[subject]
