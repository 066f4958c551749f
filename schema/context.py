"""What a resolver knows of the operation it serves: the runtime, the caller and the loaders.

One context lives for one operation, or for one event of a subscription, so that what a loader
remembers is never older than the answer it goes into.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader

from domain.access import Caller, Permission
from domain.refusals import Invalid, NotPermitted
from services import stock
from services.checks import barred
from services.flash_sale_figures import NOTHING, Figures, figures_of
from services.levels import StockLevel
from services.runtime import Runtime

T = TypeVar("T")
SALES_PER_STATEMENT = 100  # flash sales whose figures are read at once: the largest page
LEVELS_PER_STATEMENT = 100  # SKUs whose levels are read at once: the largest page


@dataclass(slots=True)
class Context:
    rt: Runtime
    caller: Caller
    refusals: list[str] = field(default_factory=list)
    levels: DataLoader[str, list[StockLevel]] | None = None
    figures: DataLoader[UUID, Figures] | None = None

    def refused(self, permission: Permission, invalid: Invalid) -> NotPermitted | Invalid:
        """For a malformed command: whoever may not do it at all is told so first."""
        no = barred(self.caller, permission)
        return invalid if no is None else no

    def levels_of(self) -> DataLoader[str, list[StockLevel]]:
        if self.levels is None:
            load = partial(load_levels, self.rt, self.caller)
            self.levels = DataLoader(load_fn=load, max_batch_size=LEVELS_PER_STATEMENT)
        return self.levels

    def figures_of(self) -> DataLoader[UUID, Figures]:
        if self.figures is None:
            load = partial(load_figures, self.rt)
            self.figures = DataLoader(load_fn=load, max_batch_size=SALES_PER_STATEMENT)
        return self.figures


async def load_levels(
    rt: Runtime, caller: Caller, codes: list[str]
) -> Sequence[list[StockLevel] | BaseException]:
    levels = allowed(await stock.levels_of(rt, caller, codes))
    return [levels.get(code, []) for code in codes]


async def load_figures(rt: Runtime, sales: list[UUID]) -> Sequence[Figures | BaseException]:
    figures = await figures_of(sales, rt.clock.now())
    return [figures.get(sale, NOTHING) for sale in sales]


def allowed(answer: T | NotPermitted) -> T:
    """Queries have no union to carry a refusal: not permitted is a GraphQL error."""
    if isinstance(answer, NotPermitted):
        raise GraphQLError(answer.message, extensions={"code": "FORBIDDEN"})
    return answer


Info = strawberry.Info[Context, None]
