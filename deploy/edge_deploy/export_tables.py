"""What `edge-toolkit export` prints."""

from rich.table import Table

from edge_deploy.bundle import Bundle
from edge_deploy.latency import compare, interleaved, latency_of
from edge_deploy.manifest import Accuracy
from edge_deploy.runtime import compile_model
from edge_deploy.settings import Asked
from edge_toolkit.console import table

FILES = {"torch": (), "onnxruntime": ("model.onnx",), "openvino": ("model.xml", "model.bin")}
"""What each runtime read."""

SECONDS = 1.0
"""Of measuring each precision."""


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


def precision_table(bundle: Bundle) -> Table | None:
    """The precisions side by side: size, accuracy, the layer with the most noise, and latency, measured in turn."""
    variants = bundle.manifest.precisions
    if len(variants) == 1:
        return None
    ready = [compile_model(bundle.ir_in(name), Asked(precision=name)) for name in variants]
    samples = interleaved(ready, SECONDS)
    reference = list(variants).index("f32")
    rows = []
    for (name, each), taken in zip(variants.items(), samples, strict=True):
        compared = compare(taken, samples[reference])
        accuracy = ("n/a", "n/a") if each.accuracy is None else _shares(each.accuracy)
        noise = "" if each.noise is None else f"{each.noise.snr_db:.1f} {each.noise.layer}"
        latency = f"{latency_of(taken).median:.4f}"
        ratio = "" if name == "f32" else f"{compared.ratio:.2f} {compared.verdict}"
        cells = (
            each.computed_in,
            f"{each.size_bytes / 1000:.1f}",
            *accuracy,
            f"{each.error:.1e}",
            noise,
            latency,
            ratio,
        )
        rows.append((name, *cells, ", ".join(each.kept)))
    heads = ("precision", "computed in", "kB", "validation", "test", "error", "worst layer dB", "ms here", "to f32")
    return table((*heads, "kept in f32"), rows)


def _shares(accuracy: Accuracy) -> tuple[str, str]:
    return f"{accuracy.validation:.4f}", f"{accuracy.test:.4f}"
