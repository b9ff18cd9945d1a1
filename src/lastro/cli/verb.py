"""Verbs: what all commands share – their options, how they answer, and how an answer is shown.

Rules:

1. A verb's function takes arguments and returns an `Answer`; it prints nothing.
2. With `--json`, standard output is exactly one JSON object; else it ends with a line that says the verdict and the
   next command. Progress and errors go to standard error.
3. The shared options stand before the verb or after it.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lastro.cli import journal
from lastro.cli.answer import Answer, Settings
from lastro.model.errors import LastroError
from lastro.model.text import _


class Verb(click.Command):
    """A command with the shared options, whose function returns an `Answer`."""

    def __init__(self, name: str | None, **attributes: Any) -> None:  # Any: click's own
        super().__init__(name, add_help_option=False, options_metavar=_("[OPTIONS]"), **attributes)
        self.params.extend([*shared_options(hidden=True), help_option()])
        self.epilog = _("Options of every command, such as --json and --quiet: lastro --help")

    def invoke(self, ctx: click.Context) -> None:
        """Calls the function in the folder given by `-C`, shows its answer and exits with its code."""
        from lastro.cli.show import show_answer

        settings: Settings = ctx.obj
        words = ctx.command_path.split()[1:]
        if settings.log_json is not None:
            # Before the folder changes: the file is named from where the person stands.
            path = settings.log_json.absolute()
            settings = ctx.obj = replace(settings, log_json=path)
            journal.begin(path, " ".join(words))
        if settings.directory is not None:
            os.chdir(settings.directory)
        began = time.monotonic()
        try:
            answer: Answer = super().invoke(ctx)
        except LastroError as error:
            journal.note(settings.log_json, "failed", " ".join(words), **error.to_dict())
            raise
        seconds = round(time.monotonic() - began, 3)
        journal.note(settings.log_json, "ended", " ".join(words), exit_code=answer.exit_code, seconds=seconds)
        show_answer(answer, f"lastro.{'.'.join(words)}/1", settings)
        ctx.exit(answer.exit_code)


class Family(click.Group):
    """A verb with verbs of its own, such as `lastro contract`; alone, it prints its help."""

    def __init__(self, name: str, **attributes: Any) -> None:  # Any: click's own
        super().__init__(
            name,
            add_help_option=False,
            options_metavar=_("[OPTIONS]"),
            subcommand_metavar=_("COMMAND [ARGUMENTS]..."),
            invoke_without_command=True,
            callback=help_if_bare,
            **attributes,
        )
        self.params.extend([*shared_options(hidden=True), help_option()])


@click.pass_context
def help_if_bare(ctx: click.Context) -> None:
    """Prints the help of a command that was given no verb."""
    if ctx.invoked_subcommand is None:
        from lastro.cli.show import write

        write(ctx.get_help(), sys.stdout)


def shared_options(*, hidden: bool) -> list[click.Parameter]:
    """The options every command takes; a verb's own help does not repeat them."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    return [
        click.Option(
            ["-C", "directory"],
            type=folder,
            metavar=_("DIR"),
            expose_value=False,
            callback=_remember,
            hidden=hidden,
            help=_("Work as if started in DIR."),
        ),
        _flag("--json", _("Print one JSON object instead of a report."), hidden=hidden),
        _flag("-q/--quiet", _("Print only the last line, and no progress."), hidden=hidden),
        _flag("--no-color", _("Print without colour; so does the variable NO_COLOR."), hidden=hidden),
        click.Option(
            ["--log-json"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar=_("FILE"),
            expose_value=False,
            callback=_remember,
            hidden=hidden,
            help=_("Append what happens to FILE, as JSON lines."),
        ),
        _flag("--debug", _("Show where a bug happened; the text may hold personal values."), hidden=hidden),
    ]


def help_option() -> click.Parameter:
    """`-h` and `--help`; unlike Click's own it knows what to do when nobody reads."""
    return click.Option(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_help,
        help=_("Print this text and exit."),
    )


def _show_help(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from lastro.cli.show import write

        write(ctx.get_help(), sys.stdout)
        ctx.exit(0)


def _flag(names: str, text: str, *, hidden: bool) -> click.Option:
    return click.Option(
        names.split("/"), is_flag=True, expose_value=False, callback=_remember, hidden=hidden, help=text
    )


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:  # Any: a flag or a folder
    ctx.obj = ctx.obj or Settings()
    if value and parameter.name:
        ctx.obj = replace(ctx.obj, **{parameter.name: value})
