"""One round of an owner: what waited is decided, one request after the other, on memory that is
ahead of the ledger until the batch is appended. Nothing here waits for anything."""

from datetime import datetime
from uuid import UUID

from actors.host import Host, Remembered
from actors.wire import Done, Elsewhere, LineDone, Reply, encode_line_done
from domain.cell import NO_CHANGE, Cell, Change, apply
from domain.commands import REMEMBERED, CellKey, Command, Request, Reserve
from domain.decisions import decide
from domain.refusals import Conflict, NotFound
from domain.states import OPEN_STATES
from infra.ledger import Batch, StoredOutcome

HOME_SLOT = 0


class Round:
    """Cells that the requests need must be in the host, or among `absent`. `before` is the round
    that is being written: memory is ahead by its changes, but not yet by its outcomes."""

    def __init__(
        self,
        host: Host,
        absent: dict[CellKey, NotFound],
        now: datetime,
        before: "Round | None" = None,
    ) -> None:
        self.host = host
        self.before = before
        self.absent = absent
        self.now = now
        self.batch = Batch(now)
        self.outcomes: dict[tuple[UUID, int], Remembered] = {}
        self.closed: list[tuple[Cell, UUID]] = []
        self.withdrawn: set[tuple[UUID, int]] = set()
        self.deadlines: set[tuple[CellKey, int]] = set()

    def settle(self, request: Request, is_learnt: bool = False) -> Reply | None:
        """All lines or none: guards first, changes last. None: a hold stands here already, so the
        stored outcomes of this id must be learnt first."""
        steps: list[tuple[Cell, Command, Change | LineDone]] = []
        remembered = type(request.lines[0][1]) in REMEMBERED
        for key, command in request.lines:
            cell = self.host.get(key)
            if cell is None:
                return self.absent[key]
            known = self.recall(request, cell) if remembered else None
            if known is not None:
                if known.fingerprint != request.fingerprint:
                    return Conflict(request.id)
                if known.done.cell != key:
                    return Elsewhere()
                steps.append((cell, command, known.done._replace(fresh=False)))
                continue
            change = decide(cell, command, request.id, self.now)
            if not isinstance(change, Change):
                return change
            if remembered and change is NO_CHANGE and not is_learnt:
                return None
            steps.append((cell, command, change))
        return Done(tuple([self.perform(request, *step) for step in steps]))

    def recall(self, request: Request, cell: Cell) -> Remembered | None:
        key = (request.id, slot(request, cell))
        known = self.outcomes.get(key)
        if known is None and self.before is not None:
            if self.before.withdrawn and key in self.before.withdrawn:
                return None
            known = self.before.outcomes.get(key)
        return known or self.host.recent.get(key)

    def perform(
        self, request: Request, cell: Cell, command: Command, step: Change | LineDone
    ) -> LineDone:
        if isinstance(step, LineDone):
            return step
        entry, reservation, hold = step
        apply(cell, step)
        if entry is not None:
            self.batch.add_entry(cell, entry, request.note)
        if hold is not None and reservation is not None:
            self.keep_hold(request, cell, command, step)
        elif reservation is not None:
            self.batch.withdraw(cell, reservation)
            self.withdrawn |= {(reservation, HOME_SLOT), (reservation, cell.id)}
        done = answer(cell, command)
        if entry is not None and isinstance(command, REMEMBERED):
            self.remember(request, cell, done)
        return done

    def keep_hold(self, request: Request, cell: Cell, command: Command, step: Change) -> None:
        reservation, hold = step.reservation, step.hold
        assert reservation is not None
        assert hold is not None
        if isinstance(command, Reserve):
            self.batch.make_hold(cell, reservation, hold, request.buyer, request.note.caller)
        else:
            self.batch.change_hold(cell, reservation, hold)
        if hold.deadline is not None:
            self.deadlines.add((cell.key, int(hold.deadline.timestamp())))
        if hold.state not in OPEN_STATES:
            self.closed.append((cell, reservation))

    def remember(self, request: Request, cell: Cell, done: LineDone) -> None:
        key = (request.id, slot(request, cell))
        stored = encode_line_done(done)
        self.outcomes[key] = Remembered(request.fingerprint, done)
        self.batch.outcomes[key] = StoredOutcome(*key, cell.id, request.fingerprint, stored)

    def commit(self) -> None:
        """The batch is in the ledger: memory is no longer ahead of it."""
        self.before = None
        for cell in self.batch.cells.values():
            cell.version += 1
        for key in self.withdrawn:
            self.host.recent.forget(key)
            self.outcomes.pop(key, None)
        self.host.recent.update(self.outcomes)
        for cell_key, second in self.deadlines:
            self.host.watch_second(cell_key, second)
        self.prune()

    def prune(self) -> None:
        """Closed holds leave memory; the store gives them back when somebody asks."""
        for cell, reservation in self.closed:
            hold = cell.holds.get(reservation)
            if hold is not None and hold.state not in OPEN_STATES:
                del cell.holds[reservation]

    def abandon(self) -> None:
        """The batch is not in the ledger, or nobody knows: memory that ran ahead is dropped, and
        so is what the batch may have made untrue."""
        for key in self.withdrawn:
            self.host.recent.forget(key)
        self.prune()
        self.host.forget([cell.key for cell in self.batch.cells.values()])


def slot(request: Request, cell: Cell) -> int:
    return HOME_SLOT if cell.key == request.home else cell.id


def answer(cell: Cell, command: Command) -> LineDone:
    reservation = getattr(command, "reservation", None)
    if reservation is None:
        return LineDone(cell.key, cell.level(), None, True)
    return LineDone(cell.key, None, cell.holds.get(reservation), True)
