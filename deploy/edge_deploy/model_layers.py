"""The `LayerTable` of any ONNX or OpenVINO model, from its graph.

Its rows are what `edge_toolkit.layers` makes of an architecture: what a device executes, with what it fuses inside
(`edge_deploy.fusing`). In an export of the toolkit's own, whose operations are called `LAYER/TYPE`, a row is called
LAYER; elsewhere after the operation that it is for. A file doesn't tell what training learnt: unless the architecture
is known, `parameters` is `weights`. A constant that several layers read counts with each of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_deploy.graph import graph_of
from edge_deploy.ir import is_numbered, name_after_layers
from edge_deploy.model_file import inputs_of, read_model
from edge_deploy.model_rows import Row, rows_of
from edge_toolkit.errors import InputError
from edge_toolkit.layers import Layer, LayerTable, layers_of, place_of, table_of
from edge_toolkit.specs import ModelSpec

OUR_NAME = re.compile(r"([a-z]\w*(?:\.\w+)*)/[A-Z]\w*(?:/\w+)*")
"""The name of an operation in the toolkit's own exports; OpenVINO and NNCF put theirs behind what they add to it."""

_NAMELESS = ("Constant", "FakeQuantize", "Parameter", "Result")
"""Operations that are not ours to name."""


@dataclass(frozen=True)
class ModelLayers:
    """A model's table, the names of its operations that multiply in a way that is not counted, whether it is ours."""

    table: LayerTable
    uncounted: tuple[str, ...] = ()
    ours: bool = True


def model_layers(path: Path, spec: ModelSpec | None = None) -> ModelLayers:
    """The layers of a model in a file.

    Args:
        path: an ONNX file (.onnx) or an OpenVINO IR (.xml, its .bin beside it).
        spec: the network that it was exported from, if that is known: it tells what training learns.

    Raises:
        InputError: the file can't be read as a model, its shapes are not static, or nothing is computed.
    """
    model = read_model(path)
    inputs_of(path, model)
    try:
        return layers_in(model, spec)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def layers_in(model: Any, spec: ModelSpec | None = None) -> ModelLayers:
    """The layers of an `openvino.Model` with static shapes, whose constants are folded and operations renamed.

    Raises:
        InputError: a shape is not static, or nothing is computed.
    """
    from openvino.passes import ConstantFolding, Manager

    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    ours = _is_ours(model)
    if ours:
        name_after_layers(model)
    rows, uncounted = rows_of(graph_of(model))
    if not rows:
        raise InputError("computes nothing from its inputs; give a network")
    layers = _by_layer(rows) if ours else _by_operation(rows)
    return ModelLayers(table_of(layers if spec is None else _as_in(layers, spec)), tuple(uncounted), ours)


def _is_ours(model: Any) -> bool:
    inner = [op for op in model.get_ops() if op.get_type_name() not in _NAMELESS]
    names = [op.get_friendly_name() for op in inner if not is_numbered(op)]
    return bool(names) and all(OUR_NAME.fullmatch(name) for name in names)


def _by_operation(rows: Iterable[Row]) -> list[Layer]:
    """Rows named after their operations."""
    layers: dict[str, Layer] = {}
    for row in rows:
        name = _free(row.names[0], layers)
        layers[name] = row.layer._replace(name=name)
    return list(layers.values())


def _by_layer(rows: Iterable[Row]) -> list[Layer]:
    """Rows named after our layers; a layer that moves several values is one row."""
    layers: dict[str, Layer] = {}
    for row in rows:
        names = list(dict.fromkeys(name.partition("/")[0] for name in row.names))
        layer, earlier = row.layer, layers.get(names[0])
        if earlier is not None and earlier.kind == layer.kind and earlier.m == 0:
            del layers[names[0]]  # done once the last of them is
            layer = layer._replace(inputs=earlier.inputs + layer.inputs, outputs=earlier.outputs + layer.outputs)
        name = next((each for each in names if each not in layers), None) or _free(row.names[0], layers)
        layers[name] = layer._replace(name=name, out_w=layer.out_w if layer.m else layer.outputs)
    places = {name: place_of(name, layers) for name in layers}
    return [each._replace(block=places[name][0], role=places[name][1]) for name, each in layers.items()]


def _free(name: str, taken: Iterable[str]) -> str:
    number = 1
    while (tried := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    return tried


def _as_in(layers: list[Layer], spec: ModelSpec) -> list[Layer]:
    """The rows with what a network's own table says of them, in its order; what it has not comes last."""
    table = layers_of(spec)
    place = {name: index for index, name in enumerate(table.name.tolist())}
    known = sorted((each for each in layers if each.name in place), key=lambda each: place[each.name])
    told = [each._replace(parameters=int(table.parameters[place[each.name]])) for each in known]
    return told + [each for each in layers if each.name not in place]
