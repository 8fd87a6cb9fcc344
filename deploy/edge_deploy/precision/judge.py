"""What a precision does to the answers: right ones on real samples, and noise behind each layer."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_deploy.ir import IR, model_of
from edge_deploy.manifest import Noise
from edge_deploy.nearness import snr_db
from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.settings import Asked
from edge_toolkit.console import Advance

Floats = NDArray[np.float32]

NOISE_SAMPLES = 32
"""Samples that the noise behind the layers is taken over."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Samples with their classes: x (n, channels, height, width), normalised; y (n,)."""

    x: Floats
    y: NDArray[np.int64]

    def first(self, count: int) -> "Labelled":
        """So many of them, from all over, since some lie sorted by class."""
        chosen = np.unique(np.linspace(0, len(self.y) - 1, min(len(self.y), count)).astype(np.intp))
        return Labelled(self.x[chosen], self.y[chosen])


def right(ir: IR, precision: str, samples: Labelled) -> int:
    """How many samples a network names rightly on this machine's CPU."""
    with compiled(ir, precision) as ready:
        return int((logits_of(ready, samples.x).argmax(axis=1) == samples.y).sum())


def logits_of(ready: Compiled, x: Floats, advance: Advance = lambda remark="": None) -> Floats:
    """x: (n, channels, height, width), normalised -> (n, classes), one sample a request, as on the device."""
    rows = []
    for sample in x:
        ready.tensors[0][:] = sample[None]
        ready.infer()
        rows.append(ready.request.get_output_tensor(0).data.copy())
        advance()
    return np.concatenate(rows)


def worst_noise(reference: IR, ir: IR, precision: str, samples: Labelled, layers: Sequence[str]) -> Noise | None:
    """The layer that a precision disturbs most, the layers before it included.

    The network is run with the output of each layer as one of its own; what is fused across layers then runs apart.

    Args:
        reference: the network in float32.
        ir: the same in the precision.
        precision: asked of the CPU.
        samples: real ones.
        layers: to look behind, in order.

    Returns:
        None where no layer's output can be told in both.
    """
    ends = _ends(reference, layers)
    there = {each.get_friendly_name() for each in model_of(ir).get_ops()}
    ends = {layer: end for layer, end in ends.items() if end in there}
    if not ends:
        return None
    expected, found = (_behind(each, how, ends, samples) for each, how in ((reference, "f32"), (ir, precision)))
    noise = [Noise(layer, snr_db(one, right_one)) for layer, right_one, one in zip(ends, expected, found, strict=True)]
    return min(noise, key=lambda each: each.snr_db)


@contextmanager
def compiled(ir: IR, precision: str) -> Iterator[Compiled]:
    """A network on this machine's CPU, on one thread, from files, as it ships."""
    with tempfile.TemporaryDirectory(prefix="edge-toolkit-") as folder:
        path = Path(folder) / "model.xml"
        path.write_bytes(ir.xml)
        path.with_suffix(".bin").write_bytes(ir.bin)
        yield compile_model(path, Asked(precision=precision))


def _ends(ir: IR, layers: Sequence[str]) -> dict[str, str]:
    """The last operation of each layer."""
    ends: dict[str, str] = {}
    for op in model_of(ir).get_ordered_ops():
        layer = op.get_friendly_name().partition("/")[0]
        if layer in layers and op.get_type_name() not in ("Constant", "Result", "Parameter"):
            ends[layer] = op.get_friendly_name()
    return {layer: ends[layer] for layer in layers if layer in ends}


def _behind(ir: IR, precision: str, ends: dict[str, str], samples: Labelled) -> list[NDArray[np.float64]]:
    """The outputs of operations over some samples, flat."""
    import openvino as ov

    model = model_of(ir)
    ops = {op.get_friendly_name(): op for op in model.get_ops()}
    outputs = [ops[end].output(0) for end in ends.values()]
    extended = ov.Model([*outputs], model.get_parameters())
    hint = {"INFERENCE_PRECISION_HINT": Asked(precision=precision).values["precision"]}
    request = ov.Core().compile_model(extended, "CPU", hint).create_infer_request()
    rows: list[list[NDArray[np.float64]]] = []
    for sample in samples.first(NOISE_SAMPLES).x:
        request.infer([sample[None]])
        rows.append([tensor.data.astype(np.float64).ravel() for tensor in request.output_tensors])
    return [np.concatenate(each) for each in zip(*rows, strict=True)]
