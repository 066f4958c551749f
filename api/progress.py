"""How far a long command is: bars on a terminal, a plain line now and then everywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

PLAIN_SECONDS = 5.0


class Stages(Protocol):
    """Named stages, each with a total that may be corrected while it runs."""

    def reach(self, stage: str, done: int, total: int, note: str = "") -> None: ...


class Bars:
    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def reach(self, stage: str, done: int, total: int, note: str = "") -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.progress.add_task(stage, note="")
        self.progress.update(self.tasks[stage], completed=done, total=total, note=note)


class Lines:
    def __init__(self, console: Console) -> None:
        self.console = console
        self.told: dict[str, float] = {}

    def reach(self, stage: str, done: int, total: int, note: str = "") -> None:
        now = monotonic()
        if done < total and now - self.told.get(stage, float("-inf")) < PLAIN_SECONDS:
            return
        if self.told.get(stage) == float("inf"):
            return
        self.told[stage] = float("inf") if done >= total else now
        self.console.print(f"{stage}: {done:,} of {total:,} {note}".rstrip(), highlight=False)


@contextmanager
def stages(console: Console) -> Iterator[Stages]:
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)
