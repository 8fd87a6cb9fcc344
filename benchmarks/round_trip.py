"""Spec to JSON to spec, and spec to torch to ONNX to IR within tolerance, over random architectures of each space.

python benchmarks/round_trip.py
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from machine import machine_line
from torch import nn

from edge_deploy.ir import ir_of
from edge_deploy.onnx_export import onnx_of
from edge_deploy.parity import answers
from edge_search.space import load_space
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import progress
from edge_toolkit.nn import build
from edge_toolkit.specs import digest, spec_from_json, spec_to_json

BOUND = 1e-4
SAMPLES = 4


def restless(architecture: Architecture, seed: int) -> nn.Module:
    """A model whose normalisation has statistics, scales and shifts of its own, so that folding is put to the test."""
    model = build(architecture, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor, low, high in (
                    (module.running_mean, -0.5, 0.5),
                    (module.running_var, 0.5, 2.0),
                    (module.weight, 0.5, 1.5),
                    (module.bias, -0.5, 0.5),
                ):
                    assert tensor is not None
                    tensor.uniform_(low, high, generator=generator)
    return model.eval()


def error_of(architecture: Architecture, seed: int, folder: Path) -> float:
    """The largest relative error of ONNX Runtime and OpenVINO against torch."""
    model = restless(architecture, seed)
    onnx, ir = folder / "model.onnx", folder / "model.xml"
    onnx.write_bytes(onnx_of(architecture, model))
    converted = ir_of(onnx.read_bytes())
    ir.write_bytes(converted.xml)
    ir.with_suffix(".bin").write_bytes(converted.bin)
    x = np.random.default_rng(seed).normal(size=(SAMPLES, *architecture.input)).astype(np.float32)
    logits = answers(model, onnx, ir, x)
    reference = logits["torch"]
    return max(float(np.abs(each - reference).max() / np.abs(reference).max()) for each in logits.values())


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", nargs="+", default=["imu-s", "image-s"])
    parser.add_argument("--architectures", type=int, default=100)
    asked = parser.parse_args()
    for name in asked.spaces:
        space, rng = load_space(name), np.random.default_rng(0)
        errors, failures = [], 0
        with TemporaryDirectory() as folder, progress(name, asked.architectures) as advance:
            for seed in range(asked.architectures):
                architecture = space.sample(rng)
                same = spec_from_json(json.loads(json.dumps(spec_to_json(architecture)))) == architecture
                errors.append(error_of(architecture, seed, Path(folder)))
                if not same or errors[-1] > BOUND:
                    failures += 1
                    print(f"FAILED {digest(architecture)}: JSON equal {same}, relative error {errors[-1]:.2e}")
                advance()
        print(f"{name}: {asked.architectures} architectures, {failures} failures; {machine_line()}")
        print(f"  relative error: median {np.median(errors):.1e}, largest {max(errors):.1e} (bound {BOUND:.0e})")


if __name__ == "__main__":
    main()
