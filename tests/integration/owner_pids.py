"""The processes of the owners, as the shop tells them."""

import asyncio

from tests.integration.caller import PATIENCE_SECONDS, Caller, labelled


async def owner_pids(caller: Caller, owners: int = 2) -> dict[str, int]:
    """The process in every shared seat, by its number; an empty seat is waited for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = labelled(await caller.metrics(), "onhand_owner_pid", "owner")
            shared = {seat: pid for seat, pid in found.items() if seat.startswith("shared-")}
            if len(shared) == owners:
                return {seat.removeprefix("shared-"): int(pid) for seat, pid in shared.items()}
