"""Parity: torch, ONNX Runtime and OpenVINO give the same answers to real inputs, at float32."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from edge_deploy.manifest import Parity
from edge_deploy.nearness import BOUNDS, relative_error
from edge_deploy.precision.judge import logits_of
from edge_deploy.runtime import compile_model
from edge_toolkit.console import Advance, progress
from edge_toolkit.errors import AnswerIsNo

BATCH = 256
REFERENCE = "torch"

Logits = NDArray[np.float32]


def answers(model: nn.Module, onnx: Path, ir: Path, x: NDArray[np.float32], name: str = "") -> dict[str, Logits]:
    """What each runtime answers.

    Args:
        model: the torch model in evaluation mode.
        onnx: its ONNX file, for ONNX Runtime's CPU provider.
        ir: its OpenVINO IR, for OpenVINO's CPU, pinned to float32.
        x: (n, channels, height, width), normalised.
        name: the network's, for the progress bar.

    Returns:
        Logits (n, classes) by `torch`, `onnxruntime` and `openvino`. The two runtimes see one sample at a time, as
        on the device.
    """
    with progress(f"parity {name}".rstrip(), 2 * len(x)) as advance:
        return {
            REFERENCE: torch_logits(model, x),
            "onnxruntime": _onnxruntime_logits(onnx, x, advance),
            "openvino": _openvino_logits(ir, x, advance),
        }


def parity_of(logits: Mapping[str, Logits], labels: NDArray[np.int64], bound: float = BOUNDS["f32"]) -> Parity:
    """How near the runtimes are to torch.

    Args:
        logits: (n, classes) by runtime, as `answers` gives them.
        labels: (n,), the true classes.
        bound: largest max|difference| / max|torch| that passes.

    Raises:
        AnswerIsNo: a runtime is further away, or names another number of samples rightly.
    """
    reference = logits[REFERENCE]
    errors = {name: relative_error(other, reference) for name, other in logits.items() if name != REFERENCE}
    right = {name: int((each.argmax(1) == labels).sum()) for name, each in logits.items()}
    for name, error in errors.items():
        # Put this way round so that NaN fails.
        if not error <= bound:
            raise AnswerIsNo(
                f"parity of {REFERENCE} and {name}: the relative error of the logits is {error:.2e} over {len(labels)} "
                f"test samples, and at most {bound:.0e} passes; no bundle of it was written"
            )
        if right[name] != right[REFERENCE]:
            raise AnswerIsNo(
                f"parity of {REFERENCE} and {name}: {right[REFERENCE]} and {right[name]} right answers of "
                f"{len(labels)} test samples, and they must be equal; no bundle of it was written"
            )
    return Parity(samples=len(labels), bound=bound, errors=errors, right=right)


def torch_logits(model: nn.Module, x: NDArray[np.float32]) -> Logits:
    """x: (n, c, h, w), normalised -> logits (n, classes) of a model in evaluation mode."""
    with torch.inference_mode():
        parts = [model(part).numpy() for part in torch.split(torch.from_numpy(x), BATCH)]
    return np.concatenate(parts)


def _onnxruntime_logits(path: Path, x: NDArray[np.float32], advance: Advance) -> Logits:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    rows = []
    for sample in x:
        rows.append(session.run(["logits"], {"input": sample[None]})[0])
        advance()
    return np.concatenate(rows)


def _openvino_logits(path: Path, x: NDArray[np.float32], advance: Advance) -> Logits:
    ready = compile_model(path)
    if ready.precision != "f32":
        raise AnswerIsNo(f"{path}: OpenVINO's CPU computes in {ready.precision} though f32 was asked for")
    return logits_of(ready, x, advance)
