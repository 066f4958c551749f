"""The command `onhand`. A new command is a file in api/commands and a line here.

A command is imported when it is called: none waits for what only another one needs.
"""

import importlib

import click

from infra.embedded.places import close_to_others

COMMANDS = {
    "serve": "api.commands.serve:serve_command",
    "up": "api.commands.serve:up_command",
    "settings": "api.commands.settings:settings_command",
    "create-admin": "api.commands.create_admin:create_admin_command",
    "remove-second-factor": "api.commands.accounts:remove_second_factor_command",
    "close-account": "api.commands.accounts:close_account_command",
    "token": "api.commands.token:token_command",
    "documents": "api.commands.documents:documents_command",
    "import": "api.commands.import_:import_command",
    "replay": "api.commands.replay:replay_command",
    "demo": "api.commands.demo:demo_command",
    "flash-sale": "api.commands.flash_sale:flash_sale_command",
    "audit": "api.commands.audit:audit_command",
}


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=Commands)
@click.version_option(package_name="onhand")
def main() -> None:
    """The inventory of a shop that sells on many channels: exact stock, live."""
    close_to_others()


if __name__ == "__main__":
    main()
