"""The versions that a measurement depends on."""

import platform


def versions() -> dict[str, str]:
    """What a measurement depends on, by package."""
    import numpy as np
    import openvino as ov

    from edge_toolkit import __version__

    return {
        "xr-edge-toolkit": __version__,
        "openvino": ov.get_version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
