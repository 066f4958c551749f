"""What a served home tells the commands beside it."""

import dataclasses
import stat
from pathlib import Path

import pytest

from infra.running import attached, forget, path, tell
from infra.settings import Settings, SettingsError


def test_a_command_finds_the_servers_of_its_home(tmp_path: Path) -> None:
    bare = Settings.load({"ONHAND_HOME": str(tmp_path)})
    served = dataclasses.replace(
        bare, database_url="postgresql://a:b@/c", ray_address="127.0.0.1:1234", owners=7
    )
    tell(served)
    tell(served)
    assert attached(bare) == served
    assert stat.S_IMODE(path(tmp_path).stat().st_mode) == 0o600


def test_a_home_that_is_not_served_says_so(tmp_path: Path) -> None:
    bare = Settings.load({"ONHAND_HOME": str(tmp_path)})
    tell(bare)
    forget(tmp_path)
    with pytest.raises(SettingsError, match="nothing is served"):
        attached(bare)
    path(tmp_path).write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        attached(bare)
