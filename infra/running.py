"""Where the embedded servers of a home answer while it is served, for commands beside it."""

import dataclasses
import json
import os
from pathlib import Path

from infra.settings import Settings, SettingsError

FIELDS = ("database_url", "nats_url", "redis_url", "ray_address", "owners")


def path(home: Path) -> Path:
    return home / "running.json"


def tell(settings: Settings) -> None:
    """Only its maker can read it: the URLs hold passwords."""
    draft = path(settings.home).with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({field: getattr(settings, field) for field in FIELDS}, file)
    draft.replace(path(settings.home))


def forget(home: Path) -> None:
    path(home).unlink(missing_ok=True)


def attached(settings: Settings) -> Settings:
    """The settings with the URLs of the servers that run in this home, unless they name their own;
    SettingsError if none do."""
    if all(getattr(settings, field) for field in FIELDS):
        return settings
    try:
        told = json.loads(path(settings.home).read_text())
        return dataclasses.replace(settings, **{field: told[field] for field in FIELDS})
    except FileNotFoundError:
        raise SettingsError(
            f"nothing is served in ONHAND_HOME {settings.home}: start it with onhand serve"
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{path(settings.home)} cannot be read: {error}") from error
