"""What `edge-toolkit export` prints."""

from rich.table import Table

from edge_deploy.bundle import Bundle
from edge_toolkit.console import table

FILES = {"torch": (), "onnxruntime": ("model.onnx",), "openvino": ("model.xml", "model.bin")}
"""What each runtime read."""


def parity_table(bundle: Bundle) -> Table:
    """The runtimes side by side: how near to torch, how often right, and the files that they read."""
    manifest = bundle.manifest
    parity = manifest.parity
    rows = [
        (
            runtime,
            f"{parity.errors[runtime]:.1e}" if runtime in parity.errors else "",
            f"{right / parity.samples:.4f}" if manifest.trained else "n/a",
            f"{right}/{parity.samples}",
            " + ".join(FILES[runtime]),
            f"{sum(manifest.files[name].size_bytes for name in FILES[runtime]) / 1000:.1f}" if FILES[runtime] else "",
        )
        for runtime, right in parity.right.items()
    ]
    weights = "" if manifest.trained else ", random weights"
    title = f"{bundle.path} ({manifest.macs:,} MACs, {manifest.parameters:,} parameters{weights})"
    return table(("runtime at f32", "relative error", "test accuracy", "right", "files", "kB"), rows, title)
