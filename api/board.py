"""What a person sees of a shop that starts and stops: one line per part on a terminal, one line
per change everywhere else."""

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

SETTLED = ("ready", "stopped", "filled")
REFRESHES_PER_SECOND = 8


class Lines:
    """One line per change, without colours or moving parts."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def show(self, part: str, state: str) -> None:
        self.console.print(f"{part}: {state}", markup=False, highlight=False, soft_wrap=True)

    def settle(self) -> None:
        return


class Screen:
    """A table that changes in place, until `settle` leaves it where it is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.states: dict[str, str] = {}
        self.live: Live | None = None

    def show(self, part: str, state: str) -> None:
        self.states = {**self.states, part: state}
        if self.live is None:
            self.live = Live(console=self.console, refresh_per_second=REFRESHES_PER_SECOND)
            self.live.start()
        table = Table.grid(padding=(0, 2))
        for name, text in self.states.items():
            mark = Text("✓", "green") if text.startswith(SETTLED) else Text("…", "yellow")
            table.add_row(mark, Text(name), Text(text))
        self.live.update(table)

    def settle(self) -> None:
        if self.live is not None:
            self.live.stop()
        self.live = None
        self.states = {}


def board(console: Console) -> Screen | Lines:
    return Screen(console) if console.is_terminal else Lines(console)
