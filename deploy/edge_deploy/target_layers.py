"""The layers of whatever a command is pointed at: a bundle, a bare model, or a network that is only described."""

from pathlib import Path

from edge_deploy.manifest import NAME
from edge_deploy.target import target_of
from edge_toolkit.errors import InputError
from edge_toolkit.layers import LayerTable, layers_of
from edge_toolkit.specs import read_spec

DESCRIPTION = "architecture.json"


def layers_at(path: Path) -> tuple[LayerTable, tuple[str, ...]]:
    """The layer table of a target.

    Args:
        path: a bundle, an ONNX file (.onnx), an OpenVINO IR (.xml), a model folder, or a network's description (.json).

    Returns:
        The table, and the names of operations that multiply in a way that is not counted.

    Raises:
        InputError: there is nothing, or something else, or it breaks a rule.
        AnswerIsNo: a file of the bundle was changed.
    """
    if path.is_dir() and not (path / NAME).is_file():
        if not (path / DESCRIPTION).is_file():
            raise InputError(
                f"{path}: holds neither a bundle ({NAME}) nor a network ({DESCRIPTION}); give a folder with one, a "
                "model.onnx or a model.xml"
            )
        path = path / DESCRIPTION
    if path.suffix == ".json":
        return layers_of(read_spec(path)), ()
    from edge_deploy.model_layers import model_layers

    target = target_of(path)
    found = model_layers(target.file, target.spec)
    return found.table, found.uncounted
