"""A network as ONNX: opset 20, static shapes, batch 1, weights inside, nodes named after the layers they come from."""

import ast
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from torch import nn

from edge_deploy.layer_names import Node, layer_names, numbered
from edge_toolkit.architecture import kernel_along
from edge_toolkit.errors import InputError
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.model_folder import Weights
from edge_toolkit.nn import StreamingLSTM, build
from edge_toolkit.specs import ModelSpec

OPSET = 20
INPUT, OUTPUT = "input", "logits"
NEXT = "next."
"""Before the name of a state, that of its value after the step."""
SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch's exporter leaves the module path of a node: `['', 'stages.1', ..., 'stages.1.blocks.0.query', 'conv']`.
"""


def network(spec: ModelSpec, weights: Weights) -> nn.Module:
    """The torch model of a spec with its weights, in evaluation mode.

    Raises:
        InputError: the weights are those of another network.
    """
    return _with_weights(build(spec, seed=0), weights)


def _with_weights(model: nn.Module, weights: Weights) -> nn.Module:
    try:
        model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    except RuntimeError as error:
        told = str(error).splitlines()  # a heading, then a line for each name and shape that does not fit
        raise InputError.listing(
            "the weights do not fit the architecture, so train the model again",
            [line.strip() for line in told[1:]] or told,
        ) from error
    return model.eval()


def streaming_network(spec: LSTMBaseline, weights: Weights) -> nn.Module:
    """The LSTM of a spec with its weights, one step at a time, in evaluation mode.

    Raises:
        InputError: the weights are those of another network.
    """
    return _with_weights(StreamingLSTM(spec), weights)


def onnx_of_stream(spec: LSTMBaseline, model: nn.Module) -> bytes:
    """The ONNX file of an LSTM that sees one step at a time (`streaming_network`): state in and state out.

    Returns:
        A model from `input` (1, channels, 1, kernel) and each of `stream_states` to `logits` (1, classes) and each of
        them behind `next.`.
    """
    channels, _, steps = spec.input
    states = stream_states(spec)
    example = (torch.zeros(1, channels, 1, kernel_along(spec.stem.kernel, steps)), *map(torch.zeros, states.values()))
    return _onnx(spec, model, example, [INPUT, *states], [OUTPUT, *(f"{NEXT}{name}" for name in states)])


def stream_states(spec: LSTMBaseline) -> dict[str, tuple[int, ...]]:
    """What an LSTM carries from step to step, by name, with its shape."""
    states: dict[str, tuple[int, ...]] = {"total": (1, spec.head.width or spec.hidden[-1], 1, 1), "count": (1,)}
    for index, size in enumerate(spec.hidden):
        states |= {f"hidden.{index}": (1, 1, size), f"cell.{index}": (1, 1, size)}
    return states


def onnx_of(spec: ModelSpec, model: nn.Module) -> bytes:
    """The ONNX file of a network.

    Batch normalisation is folded into its convolution, and the same network gives the same bytes.

    Args:
        spec: the network's design, which names its layers.
        model: its torch model in evaluation mode (`network`).

    Returns:
        A model from `input` (1, channels, height, width), normalised, to `logits` (1, classes), both float32.
    """
    return _onnx(spec, model, (torch.zeros(1, *spec.input),), [INPUT], [OUTPUT])


def _onnx(
    spec: ModelSpec, model: nn.Module, example: tuple[torch.Tensor, ...], inputs: list[str], outputs: list[str]
) -> bytes:
    with _quiet():
        program = torch.onnx.export(
            model,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            verbose=False,
        )
    if program is None:
        raise AssertionError("torch.onnx.export(dynamo=True) gives a program")  # its type says that it may not
    proto: onnx.ModelProto = program.model_proto
    _rename(proto.graph, spec)
    _strip(proto.graph)
    onnx.checker.check_model(proto, full_check=True)
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def _rename(graph: onnx.GraphProto, spec: ModelSpec) -> None:
    nodes = [Node(node.op_type, _module(node), tuple(node.input), tuple(node.output)) for node in graph.node]
    names = numbered(layer_names(nodes, spec), (node.op for node in nodes))
    for node, name in zip(graph.node, names, strict=True):
        node.name = name


def _module(node: onnx.NodeProto) -> str:
    for entry in node.metadata_props:
        if entry.key == SCOPES:
            # The last scope is the operation itself.
            return str(ast.literal_eval(entry.value)[-2])
    return "unknown"


def _strip(graph: onnx.GraphProto) -> None:
    """Drop the exporter's notes: stack traces with this machine's paths, six times as large as a small network."""
    for holder in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del holder.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of its own inner workings, which no user can act on."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")

    def other_than_torchvision(record: logging.LogRecord) -> bool:
        # No network here has an operator of torchvision's.
        return "torchvision is not installed" not in record.getMessage()

    registration.addFilter(other_than_torchvision)
    try:
        with warnings.catch_warnings():
            # torch copies its own deprecated class.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
            # nn.LSTM keeps a list of its weights, which tracing sets and sets back.
            warnings.filterwarnings("ignore", message=".*_flat_weights.*", category=UserWarning)
            yield
    finally:
        registration.removeFilter(other_than_torchvision)
