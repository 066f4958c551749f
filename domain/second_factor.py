"""A second factor: codes of an authenticator, each good once, and recovery codes for its loss.

A code belongs to a step of 30 seconds. The step before and the one after are looked at too, as
clocks differ; a step that was used, and any before it, is not.
"""

import re
from datetime import datetime, timedelta
from enum import Enum

STEP_SECONDS = 30
NEIGHBOURS = 1
"""Steps before and after that are looked at."""
ENROL_LIFE = timedelta(minutes=15)
"""For so long an authenticator waits for its first code."""
DEVICE_LIFE = timedelta(hours=12)
"""For so long a trusted device stands for a code."""
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16
"""Of 31 letters: 79 bits, which nobody guesses from a hash."""
GROUP = 4
CODE = re.compile(r"[0-9]{6}")
SPACING = re.compile(r"[\s-]")
TYPED_LIMIT = 64
"""Characters of a code that is looked at."""


class Kind(Enum):
    ONE_TIME = "one-time code"
    RECOVERY = "recovery code"


def step_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def open_steps(now: datetime, last_used: int) -> range:
    """The steps whose codes are good now."""
    step = step_of(now)
    return range(max(step - NEIGHBOURS, last_used + 1), step + NEIGHBOURS + 1)


def plain(typed: str) -> str:
    """A code as it is looked at, however it was typed."""
    return SPACING.sub("", typed[:TYPED_LIMIT]).lower()


def kind_of(code: str) -> Kind | None:
    """Of a plain code; None: it can be neither."""
    if CODE.fullmatch(code):
        return Kind.ONE_TIME
    return Kind.RECOVERY if len(code) == RECOVERY_LENGTH else None


def grouped(code: str) -> str:
    """A recovery code as it is shown: abcd-efgh-ijkm-npqr."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def is_over(begun_at: datetime, now: datetime) -> bool:
    """Whether an authenticator has waited too long for its first code."""
    return now >= begun_at + ENROL_LIFE
