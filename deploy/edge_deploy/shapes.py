"""Shapes that a user gives a model's inputs: `--shape "in[1,3,224,224],state[1,64]"`, as benchmark_app takes them."""

import re
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from edge_toolkit.errors import InputError

MOST_ELEMENTS = 2**28
"""Of one input: 1 GiB in f32, more than any device here is for."""

_ONE = re.compile(r"([^\[\]]*)\[([^\]]*)\]\s*")


class ShapeAsked(NamedTuple):
    """The shape of the input of a name; of the only input where the name is empty."""

    name: str
    sizes: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(str, self.sizes))}]"


def shapes_from(text: str) -> tuple[ShapeAsked, ...]:
    """The shapes in the text of `--shape`.

    Raises:
        InputError: it is spelled otherwise, or a size is below 1.
    """
    found, rest = [], text.strip()
    while rest:
        match = _ONE.match(rest)
        sizes = [part.strip() for part in match[2].split(",")] if match else []
        if match is None or not all(re.fullmatch(r"[1-9]\d{0,9}", size) for size in sizes):
            raise InputError(
                f"--shape {text}: must be sizes of at least 1 in brackets behind the name of each input, such as "
                '"in[1,3,224,224],state[1,64]", or "[1,3,224,224]" for an only input'
            )
        shape = ShapeAsked(match[1].strip(), tuple(map(int, sizes)))
        if prod(shape.sizes) > MOST_ELEMENTS:
            raise InputError(
                f"--shape {shape}: has {prod(shape.sizes):,} elements, and at most {MOST_ELEMENTS:,} are measured; "
                "give smaller sizes"
            )
        found.append(shape)
        rest = rest[match.end() :].removeprefix(",")
    if not found:
        raise InputError('--shape: is empty; give sizes, such as "in[1,3,224,224]"')
    return tuple(found)


def apply_shapes(path: Path, model: Any, shapes: tuple[ShapeAsked, ...]) -> None:
    """Give inputs of a model their shapes, in place.

    Raises:
        InputError: the model has no such input, or does not go with the shape.
    """
    if not shapes:
        return
    names = [called(port) for port in model.inputs]
    asked = {}
    for shape in shapes:
        port = next((port for port in model.inputs if shape.name in (called(port), *port.names)), None)
        if port is None and shape.name == "" and len(names) == 1:
            port = model.input(0)
        if port is None:
            which = f"no input {shape.name}" if shape.name else f"{len(names)} inputs"
            raise InputError(f"{path}: --shape {shape}: the model has {which}; give one of {', '.join(names)}")
        if port in asked:
            raise InputError(f"{path}: --shape {shape}: input {called(port)} has a shape already; give one")
        asked[port] = list(shape.sizes)
    try:
        model.reshape(asked)
    except RuntimeError as error:
        told = ", ".join(f"{called(port)}{port.partial_shape}" for port in model.inputs)
        raise InputError(
            f"{path}: --shape {','.join(map(str, shapes))}: the model does not go with it; its inputs are {told}"
        ) from error


def called(port: Any) -> str:
    """The name of an input or output, as messages tell it."""
    return str(port.any_name if port.names else port.node.friendly_name)
