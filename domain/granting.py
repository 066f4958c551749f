"""Who may give what: nobody gives more than they have, and somebody always owns the shop."""

from collections.abc import Iterable

from domain.access import DIMENSIONS, EVERYWHERE, PERMISSIONS, Grant, Role, Scope


def covers(held: Iterable[Grant], wanted: Grant) -> bool:
    """Whether each permission of the wanted grant is held at least as widely."""
    held = tuple(held)
    return all(
        any(
            permission in PERMISSIONS[grant.role] and is_within(wanted.scope, grant.scope)
            for grant in held
        )
        for permission in PERMISSIONS[wanted.role]
    )


def covered(held: Iterable[Grant], wanted: Iterable[Grant]) -> tuple[Grant, ...]:
    """Those of the wanted grants that do not go beyond what is held."""
    held = tuple(held)
    return tuple(grant for grant in wanted if covers(held, grant))


def is_within(inner: Scope, outer: Scope) -> bool:
    """Whether whatever lies in `inner` lies in `outer` as well."""
    return all(
        getattr(outer, name) is None
        or (getattr(inner, name) is not None and getattr(inner, name) <= getattr(outer, name))
        for name in DIMENSIONS
    )


def is_owner(grants: Iterable[Grant]) -> bool:
    """An owner of a part does not count: the whole shop needs one."""
    return Grant(Role.OWNER, EVERYWHERE) in grants
