"""The console script `edge-toolkit`: mounts the commands that the installed rooms announce.

A room (or anybody's package) announces a `typer.Typer` under the entry-point group `edge_toolkit.commands`, so no file
knows every command. Command modules import nothing heavy at their top; `edge-toolkit --help` loads no torch, no
openvino and no optuna.
"""

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Annotated, Any

import typer

from edge_toolkit.plugins import announced, load

GROUP = "edge_toolkit.commands"


def build_app() -> typer.Typer:
    """The whole command line, from what is installed."""
    app = typer.Typer(
        name="edge-toolkit",
        help="Find, ship and prove the neural network that fits an AR/VR device.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich's help doubles the time that `--help` takes
    )
    app.callback()(_root)
    for value in announced(GROUP).values():
        app.add_typer(load(value))
    return app


def _version(asked: bool) -> None:
    if asked:
        from edge_toolkit import __version__

        sys.stdout.write(f"edge-toolkit {__version__}\n")
        raise typer.Exit


def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if debug:
        os.environ["EDGE_TOOLKIT_DEBUG"] = "1"


def main(arguments: list[str] | None = None) -> None:
    """Run a command; every error that a user can act on is one message and an exit status.

    Exit status: 0 done; 1 the work was done and the answer is no; 2 the request can't be served.
    """
    try:
        build_app()(args=arguments, standalone_mode=True)
    except Exception as error:
        if _interrupted(error):
            sys.exit(130)  # as typer does
        if "EDGE_TOOLKIT_DEBUG" in os.environ:
            raise
        sys.exit(_tell(error))


def answer_of(*arguments: str) -> str:
    """What a command writes to standard output: how a room asks one that it may not import.

    Raises:
        EdgeError: the command can't be served, or its answer is no.
    """
    with redirect_stdout(StringIO()) as written:
        build_app()(args=list(arguments), standalone_mode=False)
    return written.getvalue()


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: torch's exporter reports it as a failure of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _tell(error: Exception) -> int:
    from edge_toolkit.errors import EdgeError

    if isinstance(error, EdgeError):
        sys.stderr.write(f"edge-toolkit: {error}\n")
        return error.exit_status
    sys.stderr.write(
        f"edge-toolkit: unexpected {type(error).__name__}: {_first_line(error)}\n"
        "This is a fault of the toolkit; `edge-toolkit --debug ...` shows where.\n"
    )
    return 2


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [""])[0]


if __name__ == "__main__":
    main()
