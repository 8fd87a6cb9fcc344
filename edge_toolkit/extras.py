"""What an extra of the distribution brings, asked for before the work starts."""

from importlib.util import find_spec

from edge_toolkit.errors import MissingError


def require(extra: str, *modules: str) -> None:
    """See that an extra's modules can be imported, without importing them.

    Args:
        extra: the extra that brings them, such as `search`.
        modules: top-level names.

    Raises:
        MissingError: some are not installed; the message says which, and what brings them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; {remedy(extra)}"
        )


def remedy(extra: str) -> str:
    """What to do to have an extra; through the constraints, since a bare torch pulls gigabytes of CUDA."""
    return f"run pip install -c constraints.txt '.[{extra}]' in the project's folder"
