"""What a root field's resolver did, for graphql-core to tell in its own way: given as root value,
it stands in for a resolver that must not run twice."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Resolved(NamedTuple):
    value: Any

    def get(self) -> Any:
        return self.value


class Failed(NamedTuple):
    error: Exception

    def get(self) -> Any:
        raise self.error


Outcome = Resolved | Failed


def unless_known(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolved(outcome: Outcome | None, info: Any, **arguments: Any) -> Any:
        return resolve(None, info, **arguments) if outcome is None else outcome.get()

    return resolved
