"""What can go wrong, as one small tree.

    EdgeError                    the root: every error that is meant for a user, exit status 2
    |-- InputError               a file, an option or an array from outside breaks a rule
    |-- MissingError             something the request needs is not on this machine (an extra, a device, a data set)
    `-- AnswerIsNo               the work was done and the answer is no: exit status 1

The message names the value, the rule and the remedy, and is all that a user sees; `--debug` shows the traceback.
"""

from collections.abc import Sequence


class EdgeError(Exception):
    """An error that a user can act on."""

    exit_status = 2


class InputError(EdgeError, ValueError):
    """Something from outside breaks a rule. A ValueError too, so that pydantic lists it with its place."""

    @classmethod
    def listing(cls, what: str, problems: Sequence[str]) -> "InputError":
        """All that is wrong with one input, told at once.

        Args:
            what: the input, as the user named it (a path, an option).
            problems: one line each; at least one.
        """
        if len(problems) == 1:
            return cls(f"{what}: {problems[0]}")
        lines = "\n".join(f"  - {problem}" for problem in problems)
        return cls(f"{what}: {len(problems)} problems\n{lines}")


class MissingError(EdgeError):
    """Something that the request needs is not on this machine."""


class AnswerIsNo(EdgeError):  # noqa: N818 - it is an answer, not an error
    """The work was done, and its answer is no (a budget missed, a parity check failed)."""

    exit_status = 1
