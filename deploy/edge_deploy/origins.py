"""Where an executed node comes from: the layer, the block and the role of each operation of a model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from edge_deploy.macs import macs_of
from edge_toolkit.layers import LayerTable, layers_of
from edge_toolkit.specs import ModelSpec

SUFFIX = "/WithoutBiases"
"""What OpenVINO puts behind the name of an ONNX node's product, whose own name goes to the sum with the bias."""

_MOVES = (
    "Broadcast Concat Convert DepthToSpace Gather Pad Reorder Reshape ShapeOf ShuffleChannels Slice "
    "SpaceToDepth Split Squeeze StridedSlice Tile Transpose Unsqueeze VariadicSplit"
)
LAYOUT = frozenset(_MOVES.split(" "))
"""Kinds of operation and of executed node that only move data, in whichever layer they stand."""

_ROLES = {
    "conv": "Convolution ConvolutionBackpropData Deconvolution GroupConvolution GroupConvolutionBackpropData",
    "matmul": "FullyConnected MatMul Gemm",
    "recurrent": "GRUCell GRUSequence LSTMCell LSTMSequence Loop RNNCell RNNSeq RNNSequence TensorIterator",
    "attention": "MHA ScaledDotProductAttention ScaledDotProductAttentionWithKVCache Softmax",
    "normalisation": "BatchNormInference GroupNormalization LRN MVN NormalizeL2 RMS",
    "pooling": "AvgPool MaxPool Pooling Reduce ReduceMax ReduceMean ReduceSum AdaptiveAvgPool AdaptivePooling",
}
ROLE_OF_KIND = {kind: role for role, kinds in _ROLES.items() for kind in kinds.split()}
"""The role of an operation that no architecture explains; what is not here is `elementwise`."""


@dataclass(frozen=True)
class Origin:
    """An operation's place in the network. `macs` are its own."""

    layer: str
    block: str
    role: str
    macs: int


def origins_of(model: Any, spec: ModelSpec | None) -> dict[str, Origin]:
    """The origin of each operation of a model, by the operation's friendly name.

    Args:
        model: an `openvino.Model`.
        spec: the network that it was exported from: an operation is called `LAYER/TYPE` there, and one that OpenVINO
            made or renamed belongs to the layer of its producer. None: blocks are guessed from the names, and roles
            from the types.
    """
    if spec is None:
        return {
            op.get_friendly_name(): Origin(op.get_friendly_name(), guessed_block(op), role_of(op), macs_of(op))
            for op in model.get_ordered_ops()
        }
    table = layers_of(spec)
    row_of = {name: row for row, name in enumerate(table.name.tolist())}
    origins = {}
    for op, layer in _layers(model, table):
        row = row_of[layer]
        origins[op.get_friendly_name()] = Origin(layer, str(table.block[row]), str(table.role[row]), macs_of(op))
    return origins


def role_of(op: Any) -> str:
    """The role of an operation, from its type."""
    kind = op.get_type_name()
    if kind == "GroupConvolution":
        weights = tuple(op.input(1).get_shape())  # (groups, out / groups, in / groups, kernel...)
        return "depthwise" if weights[2] == 1 else "conv"
    return role_of_kind(kind)


def role_of_kind(kind: str) -> str:
    """The role of a type of operation or of executed node."""
    return "layout" if kind in LAYOUT else ROLE_OF_KIND.get(kind, "elementwise")


def guessed_block(op: Any) -> str:
    """The block that an operation's name tells: its first two parts before the last, `model` where there are none."""
    name = str(op.get_friendly_name()).removesuffix(SUFFIX)
    separator = "/" if "/" in name else "."
    parts = [part for part in name.split(separator) if part]
    return separator.join(parts[:-1][:2]) or "model"


def producers(op: Any) -> list[Any]:
    """The operations whose outputs an operation reads."""
    return [each.get_source_output().get_node() for each in op.inputs()]


def consumers(op: Any) -> list[Any]:
    """The operations that read an operation's outputs."""
    return [target.get_node() for output in op.outputs() for target in output.get_target_inputs()]


def _layers(model: Any, table: LayerTable) -> Iterator[tuple[Any, str]]:
    """Each operation with its layer; the model's parameters and results are left out."""
    ops = [op for op in model.get_ordered_ops() if op.get_type_name() not in ("Parameter", "Result")]
    names = set(table.name.tolist())
    layers: dict[str, str] = {}
    for op in ops:
        name = op.get_friendly_name()
        prefix = name.partition("/")[0]
        if prefix in names:
            layers[name] = prefix
    # What has no name of ours follows its producer, in order; constants follow the operation that they are for.
    _spread(ops, producers, layers)
    _spread(list(reversed(ops)), consumers, layers)
    for op in ops:
        if op.get_friendly_name() in layers:
            yield op, layers[op.get_friendly_name()]


def _spread(ops: list[Any], neighbours: Callable[[Any], list[Any]], layers: dict[str, str]) -> None:
    for op in ops:
        name = op.get_friendly_name()
        if name not in layers:
            near = [each.get_friendly_name() for each in neighbours(op) if each.get_type_name() != "Constant"]
            known = [layers[each] for each in near if each in layers]
            if known:
                layers[name] = known[0]
