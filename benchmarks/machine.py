"""What a figure was taken on, in one line."""

from importlib.metadata import version

from edge_toolkit.machine import this_machine

LIBRARIES = ("torch", "openvino", "optuna")


def machine_line() -> str:
    """Processor, cores, and the versions of what computes."""
    machine = this_machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{machine.cpu}, {machine.cores} cores, {libraries}"
