"""One round of an owner: what waited is decided, one request after the other, on memory that is
ahead of the ledger until the batch is appended. Nothing here waits for anything."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from actors.host import Host, Remembered, Shut
from actors.wire import Done, Elsewhere, LineDone, Reply, encode_answer
from domain.cell import NO_CHANGE, Cell, Change, Tally, apply
from domain.commands import REMEMBERED, CellKey, Command, Draw, Request, Reserve
from domain.decisions import decide
from domain.draws import TICKET, Candidate, decide_draw, give_back, given_back, note_draw
from domain.refusals import Conflict, InsufficientStock, NotFound
from domain.states import OPEN_STATES
from domain.usual import reserve_at_once
from infra.ledger import Batch, Fresh, StoredOutcome

HOME_SLOT = 0
UNSAID = (None, None, None)
"""Reference, reason and lot of an ordinary note."""


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
        kind = type(request.lines[0][1])
        if kind is Draw:
            return self.settle_draw(request, is_learnt)
        if kind is Reserve and (done := self.settle_usual(request)) is not None:
            return done
        steps: list[tuple[Cell, Command, Change | LineDone]] = []
        remembered = kind in REMEMBERED
        for key, command in request.lines:
            cell = self.host.get(key)
            if cell is None:
                return self.absent[key]
            known = self.recall(request, cell) if remembered else None
            if known is not None:
                if known.fingerprint != request.fingerprint or isinstance(known.done, Done):
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

    def settle_usual(self, request: Request) -> Done | None:
        """The usual reservation by the short road, with the effect of the long one; None: it is not
        that usual."""
        request_id, fingerprint, home, lines, note, buyer = request
        key, command = lines[0]
        cell = self.host.get(key)
        if cell is None or len(lines) > 1 or note[1:] != UNSAID:
            return None
        slot = HOME_SLOT if key == home else cell.id
        if self.recall_at((request_id, slot)) is not None:
            return None
        assert isinstance(command, Reserve)
        hold = reserve_at_once(cell, command, request_id, self.now)
        if hold is None:
            return None
        quantity, deadline, seq, after = hold[0], command.deadline, hold[5], hold[6]
        which = (request_id, slot, cell.id, fingerprint, seq, quantity, deadline, after)
        self.batch.add_fresh(cell, Fresh._make((*which, *buyer, note[0])))
        self.deadlines.add((cell.key, int(deadline.timestamp())))
        done = LineDone(cell.key, None, hold, True)
        self.outcomes[request_id, slot] = Remembered(fingerprint, done)
        return Done((done,))

    def settle_draw(self, request: Request, is_learnt: bool) -> Reply | None:
        """The whole of a draw: it is decided over all its cells, and its first answer is kept
        whole at its sale's anchor. A refusal is certain, as the tally knows all that is done."""
        anchor = self.host.get(request.home)
        if anchor is None:
            return self.absent[request.home]
        known = self.recall(request, anchor)
        if known is not None:
            if known.fingerprint != request.fingerprint or not isinstance(known.done, Done):
                return Conflict(request.id)
            return Done(tuple([line._replace(fresh=False) for line in known.done.lines]))
        candidates = []
        for key, command in request.lines:
            cell = self.host.get(key)
            if cell is None:
                return self.absent[key]
            assert isinstance(command, Draw), "all lines carry the same type of command"
            candidates.append(Candidate(cell, command))
        found = self.host.tally(candidates[0].draw.pool)
        assert found is not None, "the tally is loaded with the anchor"
        assert found[0] is anchor, "a sale has one anchor"
        tally = found[1]
        if request.id in tally.drawn and not is_learnt:
            return None
        steps = decide_draw(candidates, tally, request.buyer.customer, self.now)
        if not isinstance(steps, list):
            return steps
        if self.host.shuts and (no := self.shut_out(candidates)):
            return no
        return self.perform_draw(request, anchor, tally, steps)

    def shut_out(self, candidates: Sequence[Candidate]) -> InsufficientStock | None:
        """Units have come back, but other processes still say that there are none."""
        pool = candidates[0].draw.pool
        for sku in dict.fromkeys(cell.key.sku for cell, _ in candidates):
            asked = [(cell.key, draw.quantity) for cell, draw in candidates if cell.key.sku == sku]
            keys = tuple(sorted(key for key, _ in asked))
            if self.host.is_shut(Shut(pool, keys), self.now):
                return InsufficientStock(sku, None, asked[0][1], 0)
        return None

    def perform_draw(
        self, request: Request, anchor: Cell, tally: Tally, steps: list[tuple[Cell, Change]]
    ) -> Done:
        """The anchor's fence moves with its tally, whoever gives the units: so no owner that knows
        less than another can give a customer more."""
        draw = request.lines[0][1]
        assert isinstance(draw, Draw)
        note = request.note
        if draw.ticket is not None:
            note = note._replace(reference=f"{TICKET}{draw.ticket}")
        for cell, step in steps:
            entry, _, hold = step
            assert entry is not None
            assert hold is not None
            apply(cell, step)
            self.batch.add_entry(cell, entry, note)
            self.batch.make_hold(cell, request.id, hold, request.buyer, note.caller)
            self.deadlines.add((cell.key, int(draw.deadline.timestamp())))
            note_draw(tally, request.id, request.buyer.customer, entry.quantity, draw.ticket)
        self.batch.cells[anchor.id] = anchor
        done = Done(tuple([LineDone(c.key, None, step.hold, True) for c, step in steps]))
        self.remember(request, anchor, done)
        return done

    def return_to_sale(self, cell: Cell, step: Change) -> None:
        """Before the step is applied: what a hold gives back its customer may draw again."""
        entry, reservation, _ = step
        hold = None if reservation is None else cell.holds.get(reservation)
        if hold is None or entry is None or not given_back(hold, entry):
            return
        found = self.host.tally(hold.pool) if hold.pool is not None else None
        if found is not None:
            anchor, tally = found
            give_back(tally, hold.customer, entry.quantity)
            self.batch.cells[anchor.id] = anchor

    def recall(self, request: Request, cell: Cell) -> Remembered | None:
        return self.recall_at((request.id, slot(request, cell)))

    def recall_at(self, key: tuple[UUID, int]) -> Remembered | None:
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
        if reservation is not None:
            self.return_to_sale(cell, step)
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

    def remember(self, request: Request, cell: Cell, done: LineDone | Done) -> None:
        key = (request.id, slot(request, cell))
        self.outcomes[key] = Remembered(request.fingerprint, done)
        outcome = StoredOutcome(*key, cell.id, request.fingerprint, None)
        if isinstance(done, LineDone) and type(request.lines[0][1]) is Reserve:
            assert done.hold is not None
            outcome = outcome._replace(held=(cell.key, done.hold))
        else:
            outcome = outcome._replace(answer=encode_answer(done))
        self.batch.outcomes[key] = outcome

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
        self.host.forget_tallies()


def slot(request: Request, cell: Cell) -> int:
    return HOME_SLOT if cell.key == request.home else cell.id


def answer(cell: Cell, command: Command) -> LineDone:
    reservation = getattr(command, "reservation", None)
    if reservation is None:
        return LineDone(cell.key, cell.level(), None, True)
    return LineDone(cell.key, None, cell.holds.get(reservation), True)
