"""`Graph`: the operations of a model that a device runs, those that are worked out once left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edge_deploy.origins import producers

DRAWN = ("RandomUniform", "ReadValue")
"""Operations that give something new each time, though all that they read is constant."""


@dataclass(frozen=True)
class Graph:
    """An `openvino.Model` as a compiler sees it once constants are folded."""

    model: Any

    @cached_property
    def ordered(self) -> tuple[Any, ...]:
        """Every operation, in order of execution."""
        return tuple(self.model.get_ordered_ops())

    @cached_property
    def folded(self) -> frozenset[str]:
        """Names of the operations that are worked out once: constants, and what reads constants or shapes alone."""
        names: set[str] = set()
        for op in self.ordered:
            kind, read = op.get_type_name(), producers(op)
            shape_alone = kind == "ShapeOf" and op.input(0).get_partial_shape().is_static
            constant = bool(read) and kind not in DRAWN and all(each.get_friendly_name() in names for each in read)
            if kind == "Constant" or shape_alone or constant:
                names.add(op.get_friendly_name())
        return frozenset(names)

    @cached_property
    def executed(self) -> tuple[Any, ...]:
        """Operations that every inference runs, the model's inputs and outputs among them."""
        return tuple(op for op in self.ordered if op.get_friendly_name() not in self.folded)

    @cached_property
    def still(self) -> tuple[Any, ...]:
        """Those executed operations whose shapes are all static."""
        return tuple(op for op in self.executed if all(each.is_static for each in (*_inputs(op), *_outputs(op))))

    def of(self, kinds: Iterable[str]) -> tuple[Any, ...]:
        """The executed operations of some types, in order; their shapes are static."""
        wanted = frozenset(kinds)
        return tuple(op for op in self.still if op.get_type_name() in wanted)


def grows(op: Any) -> bool:
    """Whether an operation makes a shape dynamic: an input of the model, or one whose own inputs are all static."""
    return any(each.is_dynamic for each in _outputs(op)) and all(each.is_static for each in _inputs(op))


def _inputs(op: Any) -> list[Any]:
    return [each.get_partial_shape() for each in op.inputs()]


def _outputs(op: Any) -> list[Any]:
    return [each.get_partial_shape() for each in op.outputs()]
