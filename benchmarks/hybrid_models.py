"""Published hybrids as ONNX with random weights, which cost what trained ones do, and whether they are those published.

MobileViT-XS and EfficientFormerV2-S0, MobileNetV2 and DeiT-Tiny to hold them against, from timm; and the smallest
network of `xr-vision`, from this toolkit, as `.onnx` and as `.json`. `npu_and_cim.py` costs what this writes.

timm is no part of the toolkit. Beside `pip install -c constraints.txt -e '.[search]'`, in a venv of its own:

    pip install --no-deps timm==1.0.31
    pip install huggingface_hub                  # which timm imports
    python benchmarks/hybrid_models.py --out runs/hybrids

torchvision, which timm's data code imports, is not needed: see `import_timm`.
"""

import argparse
import json
import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx
import torch
from machine import machine_line
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from edge_deploy.convert import converted, random_weights
from edge_deploy.macs import model_macs, uncounted
from edge_deploy.model_file import read_model
from edge_deploy.onnx_export import INPUT, OPSET, OUTPUT
from edge_search.space import load_space
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import spec_to_json

SPACE = "xr-vision"
TORCHVISION = ("", ".ops", ".ops.misc", ".transforms", ".transforms.functional", ".datasets")
"""Modules of torchvision that timm 1.0.31 imports when it is imported itself."""


@dataclass(frozen=True)
class Published:
    """A network of timm, and its parameters (millions) and GMACs as timm's authors state them.

    Source: huggingface/pytorch-image-models, `results/benchmark-infer-amp-nhwc-pt113-cu117-rtx3090.csv`, and the model
    card of `efficientformerv2_s0.snap_dist_in1k`, which is rounded to one place. Their counter adds what
    normalisation and softmax do.
    """

    name: str
    timm_name: str
    side: int
    parameters_m: float
    gmacs: float


PUBLISHED = (
    Published("mobilevit-xs", "mobilevit_xs", 256, 2.32, 1.05),
    Published("efficientformerv2-s0", "efficientformerv2_s0", 224, 3.6, 0.4),
    Published("mobilenetv2", "mobilenetv2_100", 224, 3.50, 0.31),
    Published("deit-tiny", "deit_tiny_patch16_224", 224, 5.72, 1.26),
)


class _Anything(type):
    """A class that has any attribute, another such class: what timm asks of torchvision, never used by its models."""

    def __getattr__(cls, name: str) -> type:
        return _anything(name)


def _anything(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Anything(name, (), {})


def import_timm() -> Any:
    """timm, whose models need no torchvision, though importing timm does.

    torchvision 0.28.0 from the package index does not import beside the CPU build of torch 2.13.0 (`operator
    torchvision::nms does not exist`). So while timm is being imported, empty modules stand in for it.
    """
    names = [f"torchvision{each}" for each in TORCHVISION]
    for name in names:
        stand_in = ModuleType(name)
        stand_in.__getattr__ = _anything  # type: ignore[method-assign]  # PEP 562, from outside
        sys.modules[name] = stand_in
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, stand_in)
    try:
        import timm
    finally:
        for name in names:
            del sys.modules[name]
    return timm


def model_of(timm: Any, published: Published) -> nn.Module:
    """A network of timm with random weights, in evaluation mode."""
    torch.manual_seed(0)
    model: nn.Module = timm.create_model(published.timm_name, pretrained=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.1)  # they begin at 0, and the exporter would leave them out
    return model.eval()


def write_onnx(model: nn.Module, side: int, path: Path) -> None:
    """Write a model as the toolkit's own export does: static shapes, batch 1, no notes of the exporter's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, about torch's own classes and timm's cache of biases
        program = torch.onnx.export(
            model,
            (torch.zeros(1, 3, side, side),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    if program is None:
        raise AssertionError("torch.onnx.export(dynamo=True) gives a program")  # its type says that it may not
    proto: onnx.ModelProto = program.model_proto
    for holder in (proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        del holder.metadata_props[:]
    path.write_bytes(proto.SerializeToString(deterministic=True))


def torch_macs(model: nn.Module, side: int) -> int:
    """Multiply-accumulates by torch's own counter, attention unfused, since it counts no fused one on a CPU."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    return int(counter.get_total_flops()) // 2


def write_smallest(out: Path) -> None:
    """Write the smallest network of a space, as a spec and as ONNX, and say what it has."""
    smallest = load_space(SPACE).smallest()
    name, layers = f"{SPACE}-smallest", layers_of(smallest)
    (out / f"{name}.json").write_text(json.dumps(spec_to_json(smallest), indent=2) + "\n")
    path = out / f"{name}.onnx"
    path.write_bytes(converted(smallest, random_weights(smallest))["model.onnx"])
    counted, parameters = model_macs(read_model(path)), int(layers.parameters.sum())
    print(f"{name} at {smallest.input[1]}: {parameters:,} parameters; {counted:,} MACs of its ONNX file")
    print(f"  MACs from its spec {layers.macs.sum():,}: {_verdict(counted == layers.macs.sum())}")


def main() -> None:
    """Write the files and print what is in them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/hybrids"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision
    timm = import_timm()
    timm.layers.set_fused_attn(False)
    print(f"timm {timm.__version__}; {machine_line()}")
    for each in PUBLISHED:
        model, path = model_of(timm, each), asked.out / f"{each.name}.onnx"
        write_onnx(model, each.side, path)
        read = read_model(path)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        counted, by_torch = model_macs(read), torch_macs(model, each.side)
        print(f"{each.name} at {each.side}: {parameters:,} parameters; {counted:,} MACs of its ONNX file")
        print(f"  MACs by torch's counter {by_torch:,}: {_verdict(counted == by_torch)}")
        print(
            f"  published: {each.parameters_m} M parameters (ratio {parameters / each.parameters_m / 1e6:.3f}), "
            f"{each.gmacs} GMACs (ratio {counted / each.gmacs / 1e9:.3f})"
        )
        if uncounted(read):
            print(f"  not counted: {', '.join(uncounted(read))}")
    write_smallest(asked.out)
    print(f"written to {asked.out}/")


def _verdict(equal: bool) -> str:
    return "equal" if equal else "DIFFERENT"


if __name__ == "__main__":
    main()
