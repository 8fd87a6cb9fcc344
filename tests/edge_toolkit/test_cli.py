"""The command line itself: what it prints before any command, and the exit status of what goes wrong."""

import pytest

from edge_toolkit import __version__, cli
from edge_toolkit.cli import main
from edge_toolkit.errors import AnswerIsNo, InputError


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main([*arguments])
    return int(done.value.code or 0)


def test_the_version_needs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--version") == 0
    assert capsys.readouterr().out == f"edge-toolkit {__version__}\n"


def failing(error: BaseException, cause: BaseException | None = None) -> object:
    def app(**_: object) -> None:
        raise error from cause

    return lambda: app


def while_handling(interrupt: BaseException) -> BaseException:
    """An error that was raised, without `from`, where another one was handled."""
    error = ValueError("left undone")
    error.__context__ = interrupt
    return error


@pytest.mark.parametrize(
    ("error", "cause", "expected", "told"),
    [
        (InputError("x=3 must be 4"), None, 2, "edge-toolkit: x=3 must be 4\n"),
        (AnswerIsNo("nothing fits"), None, 1, "edge-toolkit: nothing fits\n"),
        (RuntimeError("export failed"), KeyboardInterrupt(), 130, ""),
        (RuntimeError("export failed"), while_handling(KeyboardInterrupt()), 130, ""),
        (ValueError("a\nb"), None, 2, "edge-toolkit: unexpected ValueError: a\nThis is a fault of the toolkit"),
    ],
)
def test_errors_and_their_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    cause: BaseException | None,
    expected: int,
    told: str,
) -> None:
    monkeypatch.setattr(cli, "build_app", failing(error, cause))
    assert status("anything") == expected
    printed = capsys.readouterr().err
    assert printed.startswith(told)
    assert bool(printed) == bool(told)
