"""The device: export, parity, bundle, runtime, profiler. `Runner` runs a bundle."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_deploy.runner import Answer, Runner

__all__ = ["Answer", "Runner"]


def __getattr__(name: str) -> Any:
    """`Runner` and `Answer`, loaded when they are asked for: the command line must not wait for numpy."""
    if name in __all__:
        from edge_deploy import runner

        return getattr(runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
