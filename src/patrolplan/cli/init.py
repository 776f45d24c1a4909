"""The command that writes settings to start from: init."""

from pathlib import Path

import patrolplan as pp
from patrolplan.cli import console, options
from patrolplan.cli.app import command
from patrolplan.errors import OutputError


@command
def init(
    config: Path = options.option(
        "The settings file to write.", options.FILE, default=options.DEFAULT_CONFIG
    ),
    demo: bool = options.flag(
        "--demo", "The fictional borough's settings and files, to try every command on."
    ),
    as_json: options.Json = False,
) -> None:
    """Write a settings file to start from, and a secret."""
    from patrolplan.settings.load import build_settings_template, copy_demo_files
    from patrolplan.settings.models import WeekSettings
    from patrolplan.team.secret import create_secret

    text = pp.demo_settings().read_text(encoding="utf-8") if demo else build_settings_template()
    try:
        if demo and not config.exists():  # otherwise nothing is copied either
            copy_demo_files(config.parent)
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        why, remedy = f"cannot be written ({error.strerror})", "name another file with --config"
        if isinstance(error, FileExistsError):
            why = "already exists"
            remedy = "begin in an empty folder" if demo else remedy
        message = f"{error.filename or config}: {why}; {remedy}"
        raise OutputError(message) from None
    secret = config.parent / WeekSettings().secret
    is_new = create_secret(secret)
    next_step = "Name your files under [sources], then run `patrolplan check`."
    if demo:
        next_step = "Its files are next to it: run `patrolplan check`, then any other command."
    lines = [f"Created {config}. {next_step}"]
    if is_new:
        lines.append(f"Created {secret}, with which weeks are drawn: let nobody else read it.")
    document = {"written": str(config), "secret": str(secret)}
    console.print_result(document, lines, as_json=as_json)
