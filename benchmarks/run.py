"""A run part by part: each is written down when it is done, and one that breaks takes only itself
along, so that a long run nobody watches keeps what it has."""

from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.figures import Section


class Run:
    """`root` is where the document is written; None: it is shown only."""

    def __init__(self, wanted: Set[str], console: Console, root: Path | None) -> None:
        self.wanted = wanted
        self.console = console
        self.root = root
        self.sections: list[Section] = []
        self.broken: list[str] = []

    def part(self, names: tuple[str, ...], make: Callable[[], Section]) -> None:
        """One section, if any of its names is wanted."""
        if not self.wanted & set(names):
            return
        with self.surviving(" ".join(names)):
            section = make()
            self.sections.append(section)
            if self.root is not None:
                report.write(self.root, [section])

    @contextmanager
    def surviving(self, what: str) -> Iterator[None]:
        """Whatever breaks inside is shown, and told again at the end."""
        try:
            yield
        except Exception as error:  # tidy: allow broad-except: the other parts go on
            self.console.print_exception()
            self.broken.append(f"{what}: {type(error).__name__}: {error}")

    def tell(self) -> None:
        report.show(self.console, self.sections)
        if self.root is not None and self.sections:
            self.console.print(f"written: {report.DOCUMENT}, {report.FIGURES}")
        for what in self.broken:
            self.console.print(f"broken off, its last figures stay: {what}", markup=False)
        if self.broken:
            raise SystemExit(1)
