"""The command `onhand`. A new command is a file in api/commands and a line here."""

import click

from api.commands.demo import demo_command
from api.commands.import_ import import_command
from api.commands.replay import replay_command
from api.commands.serve import serve_command, up_command
from api.commands.settings import settings_command
from api.commands.token import token_command

COMMANDS = (
    serve_command,
    up_command,
    settings_command,
    token_command,
    import_command,
    replay_command,
    demo_command,
)


@click.group()
@click.version_option(package_name="onhand")
def main() -> None:
    """The inventory of a shop that sells on many channels: exact stock, live."""


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
