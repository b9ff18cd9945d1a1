"""The entry: finds the verb, runs it, and turns every way it can end into an exit code.

Rules:

1. A verb's module is imported only when that verb is run or its help is asked for; `lastro --help` imports none.
2. Exit codes: 0 ok, 1 the data violates a rule, 2 usage or configuration, 3 source or environment, 4 not permitted,
   130 interrupted, 141 whoever read the output stopped reading.
3. What nobody foresaw is told as a bug, with the place in our code and no value; its traceback only with `--debug`,
   because a traceback may hold personal values.
"""

from __future__ import annotations

import gettext
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import TracebackType

import click

from lastro.cli.answer import Settings
from lastro.cli.show import OutputLost, PipeClosed, forsake, show_error, write
from lastro.cli.verb import help_if_bare, help_option, shared_options
from lastro.cli.verbs import sections
from lastro.model.errors import LastroError, UsageError, WriteFailed
from lastro.model.release import VERSION
from lastro.model.text import CATALOGUES, _, language

INTERRUPTED = 130
PIPE_CLOSED = 141
COMPLETION = "_LASTRO_COMPLETE"


class Verbs(click.Group):
    """The verbs, each imported at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the help."""
        del ctx
        return [name for verbs in sections().values() for name in verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the verb's module and gives its `command`; None if there is no such verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"lastro.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the verb; a slip of the pen is answered with the verbs that look alike."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            alike = get_close_matches(name, self.list_commands(ctx), n=2)
            hint = _("did you mean {names}?").format(names=_(" or ").join(f"lastro {verb}" for verb in alike))
            raise UsageError(
                _("lastro has no command {name!r}").format(name=name[:80]),
                do=hint if alike else _("lastro --help lists all commands"),
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one section per purpose, from the table, importing nothing."""
        del ctx
        for title, verbs in sections().items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()), col_max=12)


def build() -> Verbs:
    """The root command, in the language of the environment."""
    return Verbs(
        name="lastro",
        help=_("Data management for machine learning: ingestion, contracts, versions and proof."),
        epilog=_("'lastro COMMAND --help' explains a command. 'lastro demo DIR' shows everything at work."),
        params=[*shared_options(hidden=False), _version_option(), help_option()],
        add_help_option=False,
        options_metavar=_("[OPTIONS]"),
        subcommand_metavar=_("COMMAND [ARGUMENTS]..."),
        no_args_is_help=False,
        invoke_without_command=True,
        callback=help_if_bare,
    )


def _version_option() -> click.Parameter:
    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help=_("Print the version and exit."),
    )


def _show_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        write(f"lastro {VERSION}", sys.stdout)
        ctx.exit(0)


def main() -> None:
    """Runs the command line of this process and exits."""
    # Click's own sentences are in our catalogue, too; it asks gettext's global domain for them.
    os.environ["LANGUAGE"] = language()
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as in `engine.duck.guard`
    gettext.bindtextdomain("lastro", CATALOGUES)
    gettext.textdomain("lastro")
    # A stream that was closed before we began is None.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 – open as long as we run
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and gives its exit code; prints as the command does."""
    settings = _asked_for(arguments)
    try:
        return _attempt(arguments, settings)
    except PipeClosed:
        forsake(sys.stdout, sys.stderr)
        return PIPE_CLOSED
    except OutputLost as lost:
        error = WriteFailed(
            _("the output cannot be written: {reason}").format(reason=lost),
            do=_("make room where the output goes; lastro log shows what was done"),
        )
        show_error(error, replace(settings, json=False))
        return error.exit_code


def _attempt(arguments: Sequence[str], settings: Settings) -> int:
    try:
        return _invoke(arguments)
    except LastroError as error:
        if settings.debug:
            _show_traceback(error)
        show_error(error, settings)
        return error.exit_code
    except click.ClickException as error:
        show_error(_usage_error(error), settings)
        return UsageError.exit_code
    except (KeyboardInterrupt, click.Abort):
        write("\n" + _("interrupted; what was not acknowledged is not visible"), sys.stderr)
        return INTERRUPTED
    except (PipeClosed, OutputLost):
        raise
    except Exception as error:  # noqa: BLE001 – anything at all that is not one of ours: told as a bug, never hidden
        if settings.debug:
            _show_traceback(error)
        show_error(_bug(error), settings)
        return LastroError.exit_code


def _invoke(arguments: Sequence[str]) -> int:
    command = build()
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(command, {}, "lastro", COMPLETION, instruction)
    try:
        with command.make_context("lastro", list(arguments), obj=Settings()) as ctx:
            command.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _asked_for(arguments: Sequence[str]) -> Settings:
    """The settings as far as errors need them: they must be known even where the arguments cannot be parsed."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return Settings(json="--json" in options, no_color="--no-color" in options, debug="--debug" in options)


def _usage_error(error: click.ClickException) -> UsageError:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "lastro"
    return UsageError(
        error.format_message().rstrip("."), do=_("{command} --help explains the command").format(command=path)
    )


def _bug(error: Exception) -> LastroError:
    return LastroError(
        _("this is a bug in Lastro ({kind})").format(kind=type(error).__name__),
        where=_place(error.__traceback__),
        do=_("run it again with --debug and report the traceback, without the personal values it may hold"),
        state=_("not known; lastro verify tells"),
    )


def _place(trace: TracebackType | None) -> str:
    """The innermost line of our own code that the error passed through."""
    place = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] == "lastro":
            place = f"{module}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _show_traceback(error: BaseException) -> None:
    import traceback

    write("".join(traceback.format_exception(error)).rstrip(), sys.stderr)
