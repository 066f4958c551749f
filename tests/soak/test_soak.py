"""SOAK_MINUTES of torment: whatever dies, every answer was true. The seed that was played is
printed; SOAK_SEED plays one again."""

import os
from pathlib import Path
from random import SystemRandom

import pytest

from tests.soak.soak import SHOWN, soak

MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))
SEED = int(os.environ.get("SOAK_SEED") or SystemRandom().randrange(1_000_000))


@pytest.mark.soak
@pytest.mark.skipif(not MINUTES, reason="`make soak` plays it: SOAK_MINUTES is not set")
@pytest.mark.timeout(MINUTES * 60 + 1_200)
def test_whatever_is_killed_under_load_every_answer_was_true(tmp_path: Path) -> None:
    verdict = soak(tmp_path / "home", MINUTES, SEED)
    assert verdict.complaints[:SHOWN] == [], f"{len(verdict.complaints)} complaints, seed {SEED}"
    assert not verdict.audit, verdict.audit
    assert verdict.troubles
    assert verdict.answers["reserve Reservation"]
    assert verdict.answers["reserve InsufficientStock"]
    assert verdict.answers["reserve in a sale Reservation"]
