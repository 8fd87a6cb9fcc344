"""The layers of whatever a command is pointed at: a bundle, a bare model, or a network that is only described."""

from collections.abc import Iterator
from pathlib import Path

from edge_deploy.manifest import NAME
from edge_deploy.model_layers import ModelLayers, model_layers
from edge_deploy.target import target_of
from edge_toolkit.device import Device
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import read_spec

DESCRIPTION = "architecture.json"


def layers_at(path: Path) -> ModelLayers:
    """The layers of a target.

    Args:
        path: a bundle, an ONNX file (.onnx), an OpenVINO IR (.xml), a model folder, or a network's description (.json).

    Raises:
        InputError: there is nothing, or something else, or it breaks a rule.
        AnswerIsNo: a file of the bundle was changed.
    """
    description = description_at(path)
    if description is not None:
        return ModelLayers(layers_of(read_spec(description)))
    target = target_of(path)
    return model_layers(target.file, target.spec)


def description_at(path: Path) -> Path | None:
    """The file that describes a network: the path itself, or the one in a model folder; None where a model is meant.

    Raises:
        InputError: the path is a folder with neither a bundle nor a network.
    """
    if path.is_dir() and not (path / NAME).is_file():
        if not (path / DESCRIPTION).is_file():
            raise InputError(
                f"{path}: holds neither a bundle ({NAME}) nor a network ({DESCRIPTION}); give a folder with one, a "
                "model.onnx or a model.xml"
            )
        return path / DESCRIPTION
    return path if path.suffix == ".json" else None


def doubts(found: ModelLayers, device: Device | None = None) -> Iterator[str]:
    """What a reader of a model's costs on a device should know, in lines."""
    if found.uncounted:
        yield f"what {', '.join(found.uncounted)} multiplies inside is not counted"
    if device is not None and device.calibration is not None and not found.ours:
        yield (
            f"{device.name} was calibrated on networks of {device.calibration.space}, and the model comes from "
            "elsewhere: see its latency as a guess, and `edge-toolkit measure` it"
        )
