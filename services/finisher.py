"""What was granted and broke off is finished without anybody asking. Every API process looks; two
at once do no harm, as an act is done once."""

import asyncio
import logging
from datetime import timedelta

from domain.approvals import BY_ASKER
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from services.approved import carry_out
from services.runtime import Runtime

LOOK_SECONDS = 15.0
ABANDONED = timedelta(seconds=15)
"""Longer than whoever granted it is at work."""
ROWS_LIMIT = 100
log = logging.getLogger(__name__)


class Finisher:
    def __init__(self, rt: Runtime) -> None:
        self.rt = rt

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:  # tidy: allow broad-except: the finisher goes on
                log.warning("granted requests cannot be finished now: %r", error)

    async def look(self) -> None:
        """The oldest first; one that cannot be finished now does not keep the others."""
        granted = Row.filter(
            state=ApprovalState.GRANTED,
            act__not_in=BY_ASKER,
            changed_at__lte=self.rt.clock.now() - ABANDONED,
        )
        for row in await granted.order_by("changed_at").limit(ROWS_LIMIT):
            try:
                await carry_out(self.rt, row)
            except Exception as error:  # tidy: allow broad-except: the others are tried
                log.warning("the granted request %s cannot be finished now: %r", row.id, error)
