"""Which operations of a graph run as one layer.

- What multiplies, and any normalisation, softmax or pooling, is a layer of its own. Element by element on two values (a
  residual, a gate) is one, too.
- Element by element on one value and constants (an activation, a bias, a scale, batch normalisation) runs inside the
  layer that makes the value, where nothing else reads it.
- A value that goes several ways through such operations and meets itself again went through one function: an activation
  (`x * sigmoid(x)`), or a normalisation if a mean or a sum is on the way. So a network may spell either out.
- A product reads its operands transposed, and scaled by one number, at no cost.
- Moves of data behind each other are one move.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from edge_deploy.graph import Graph, Op, Value, axes_of
from edge_deploy.origins import LAYOUT

_ARITHMETIC = "Add Divide FloorMod Maximum Minimum Mod Multiply Power Select SquaredDifference Subtract"
_LOGIC = (
    "Equal Greater GreaterEqual IsFinite IsInf IsNaN Less LessEqual LogicalAnd LogicalNot LogicalOr LogicalXor NotEqual"
)
_FUNCTIONS = (
    "Abs Acos Acosh Asin Asinh Atan Atanh Ceiling Clamp Convert ConvertLike Cos Cosh Elu Erf Exp Floor "
    "Gelu HSigmoid HSwish HardSigmoid Log Mish Negative PRelu Relu Round Selu Sigmoid Sign Sin "
    "Sinh SoftPlus SoftSign Sqrt Swish Tan Tanh"
)
POINTWISE = frozenset((*_ARITHMETIC.split(), *_LOGIC.split(), *_FUNCTIONS.split(), "BatchNormInference"))
"""Operations that give each element from its like."""

_PICKS = "GatherElements GatherND Reverse ReverseSequence Roll ScatterElementsUpdate ScatterNDUpdate ScatterUpdate"
MOVES = LAYOUT - {"Convert", "Reorder"} | {"BatchToSpace", "SpaceToBatch", *_PICKS.split()}
"""Operations that put elements elsewhere."""

_LARGEST = 64
"""Most operations of a function that a network spells out."""


@dataclass(frozen=True)
class Part:
    """Operations that belong together; `head` says what they are. `spelled` tells a function that is spelled out."""

    head: Op
    ops: tuple[Op, ...]
    spelled: bool = False

    @property
    def normalises(self) -> bool:
        """Whether a sum over elements is in it."""
        return self.spelled and any(op.kind.startswith("Reduce") for op in self.ops)

    @property
    def pointwise(self) -> bool:
        """Whether each element of the output comes from its like."""
        return self.head.kind in POINTWISE and not self.normalises

    @property
    def moves(self) -> bool:
        """Whether it only puts elements elsewhere."""
        return self.head.kind in MOVES


@dataclass(frozen=True)
class Fused:
    """What runs as one layer: its first part says what it is, the others run inside it."""

    parts: tuple[Part, ...]

    @property
    def head(self) -> Op:
        """The operation that the layer is for."""
        return self.parts[0].head

    @property
    def ops(self) -> tuple[Op, ...]:
        """All its operations."""
        return tuple(op for part in self.parts for op in part.ops)


def fused(graph: Graph) -> tuple[Fused, ...]:
    """The layers of a graph, in the order of execution."""
    rows: list[list[Part]] = []
    row_of: dict[int, int] = {}
    for part in _parts(graph):
        row = _joined(graph, part, rows, row_of)
        if row is None:
            row = len(rows)
            rows.append([])
        rows[row].append(part)
        row_of |= {op.index: row for op in part.ops}
    return tuple(Fused(tuple(parts)) for parts in rows)


def reads(graph: Graph, ops: Iterable[Op]) -> dict[Value, int]:
    """The values that operations read from elsewhere, and how many elements of each."""
    within = {op.index for op in ops}
    sizes: dict[Value, int] = {}
    for op in ops:
        for operand in op.operands:
            if operand.value is not None and operand.value.op not in within:
                sizes[operand.value] = max(sizes.get(operand.value, 0), _read(op, operand.shape))
    return sizes


def written(graph: Graph, ops: Iterable[Op]) -> dict[Value, int]:
    """The values that operations make for others, and their elements."""
    within = {op.index for op in ops}
    return {
        Value(op.index, port): prod(shape)
        for op in ops
        for port, shape in enumerate(op.outputs)
        if any(user not in within for user in graph.users.get(Value(op.index, port), ()))
    }


def _read(op: Op, shape: tuple[int, ...]) -> int:
    """Elements that are read of an operand: no more than come out, where the operation picks some."""
    if op.kind in ("Gather", "GatherElements", "GatherND", "Slice", "StridedSlice"):
        return min(prod(shape), prod(op.outputs[0]))
    return prod(shape)


def _joined(graph: Graph, part: Part, rows: list[list[Part]], row_of: dict[int, int]) -> int | None:
    """The row that a part runs inside, if there is one."""
    values = list(reads(graph, part.ops))
    if len(values) != 1 or values[0].op not in row_of or values[0].part:
        return None
    within = {op.index for op in part.ops}
    if not within.issuperset(graph.users[values[0]]):
        return None
    row = row_of[values[0].op]
    before = rows[row]
    if part.moves and before[0].moves:
        alone = len(written(graph, [op for each in before for op in each.ops])) == 1
        return row if alone else None
    if part.pointwise and not before[0].moves:
        return row
    # Centred first, then scaled; a softmax has an exponential in between.
    plain = all(each.normalises or not each.head.constants for each in before)
    return row if part.normalises and before[0].normalises and plain else None


def _parts(graph: Graph) -> list[Part]:
    """The operations by what belongs together, in the order of their last ones."""
    parts = [*_spelled_out(graph)]
    taken = {op.index for part in parts for op in part.ops}
    for op in graph.ops:
        if op.kind == "MatMul":
            absorbed = [each for each in _absorbed(graph, op) if each.index not in taken]
            parts.append(Part(op, (*absorbed, op)))
            taken |= {each.index for each in (*absorbed, op)}
    parts += [Part(op, (op,)) for op in graph.ops if op.index not in taken]
    return sorted(parts, key=lambda part: part.ops[-1].index)


def _absorbed(graph: Graph, matmul: Op) -> Iterator[Op]:
    """Transposes of the last two axes, and scales of one number, that only this product reads."""
    for operand in matmul.operands:
        value, shape, reader = operand.value, operand.shape, matmul
        while value is not None and value.op >= 0 and not value.part and graph.users[value] == (reader.index,):
            op = graph.ops[value.op]
            if not _scales(op) and not (_turns_last_two(op) and op.outputs[0][-2:] == shape[-2:]):
                break
            yield op
            value, shape = next((each.value, each.shape) for each in op.operands if each.value is not None)
            reader = op


def _turns_last_two(op: Op) -> bool:
    axes = axes_of(op.node) if op.kind == "Transpose" else None
    return axes is not None and axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)


def _scales(op: Op) -> bool:
    return op.kind in ("Multiply", "Divide") and [prod(each) for each in op.constants] == [1]


def _spelled_out(graph: Graph) -> Iterator[Part]:
    """Functions of one value that a network spells out, the largest first."""
    taken: set[int] = set()
    for op in reversed(graph.ops):
        if op.index not in taken and op.kind in POINTWISE and len(op.computed) > 1:
            found = _function(graph, op)
            if taken.isdisjoint(found):
                taken |= found
                if found:
                    yield Part(op, tuple(graph.ops[index] for index in sorted(found)), spelled=True)


def _function(graph: Graph, last: Op) -> set[int]:
    """The operations between one value and `last`, if nothing else leads to it; else none."""
    found, ahead = {last.index}, set(last.computed)
    while len(ahead) > 1:
        value = max(ahead)
        op = graph.ops[value.op] if value.op >= 0 and not value.part else None
        if (
            op is None
            or (op.kind not in POINTWISE and op.kind != "Broadcast" and not op.kind.startswith("Reduce"))
            or not found.issuperset(graph.users[value])
            or len(found) == _LARGEST
        ):
            return set()
        found.add(op.index)
        ahead = ahead - {value} | set(op.computed)
    return found
