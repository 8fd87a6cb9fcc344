"""Models from files: an ONNX file, an OpenVINO IR or a TensorFlow Lite file, its inputs and their shapes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from edge_deploy.shapes import ShapeAsked, apply_shapes, called
from edge_deploy.tensor_names import name_after_tensors
from edge_toolkit.errors import InputError
from edge_toolkit.profile import Input


def read_model(path: Path, shapes: tuple[ShapeAsked, ...] = ()) -> Any:
    """The `openvino.Model` in a file, for questions that need no device.

    Args:
        path: an ONNX file (.onnx), an OpenVINO IR (.xml, its .bin beside it) or a TensorFlow Lite file (.tflite).
        shapes: that inputs shall have, in place of the file's.

    Raises:
        InputError: the file can't be read as a model, or does not go with a shape.
    """
    import openvino as ov

    _check_file(path)
    try:
        model = ov.Core().read_model(path)
    except (RuntimeError, UnicodeDecodeError) as error:  # the latter: a broken name inside OpenVINO's own message
        raise InputError(f"{path}: OpenVINO cannot read it ({gist(error)}); export the model again") from error
    if path.suffix == ".tflite":
        name_after_tensors(model, path)
    apply_shapes(path, model, shapes)
    return model


def inputs_of(path: Path, model: Any) -> tuple[Input, ...]:
    """The inputs of a model.

    Raises:
        InputError: the shape of one is not static.
    """
    return tuple(_input(path, port) for port in model.inputs)


def gist(error: Exception) -> str:
    """The last line of OpenVINO's message: those before it are places in its sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _input(path: Path, port: Any) -> Input:
    name = called(port)
    shape = port.partial_shape
    if shape.is_dynamic:
        if shape.rank.is_dynamic:
            example = f"{name}[1,3,224,224]"
        else:
            example = f"{name}[{','.join(str(max(1, size.min_length)) for size in shape)}]"
        raise InputError(
            f"{path}: input {name} has the shape {shape}, and only static shapes are measured; give its sizes, such "
            f'as --shape "{example}"'
        )
    return Input(name, tuple(port.shape), port.element_type.to_string())


def _check_file(path: Path) -> None:
    kind = _KINDS.get(path.suffix)
    if kind is None:
        raise InputError(
            f"{path}: is no ONNX file (.onnx), OpenVINO IR (.xml) or TensorFlow Lite file (.tflite); give one, or a "
            "bundle"
        )
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give the path of a model or of a bundle")
    # Checked here, since OpenVINO tries its other formats on a file that it can't read, and those complain aloud.
    name, begins = kind
    try:
        right = begins(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file that can") from error
    if not right:
        raise InputError(f"{path}: is not {name}; export the model again")
    if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
        raise InputError(f"{path}: its weights are missing ({path.with_suffix('.bin').name} beside it); export again")


def _begins_as_ir(path: Path) -> bool:
    try:
        for _, element in ElementTree.iterparse(path, events=("start",)):
            return bool(element.tag == "net")
    except (ElementTree.ParseError, LookupError, ValueError):  # no XML; an encoding that nobody knows
        pass
    return False


def _begins_as_onnx(path: Path) -> bool:
    """Whether the first field is `ir_version`, number 1 of ONNX's ModelProto, which every writer puts first."""
    with path.open("rb") as file:
        return file.read(1) == b"\x08"


def _begins_as_tflite(path: Path) -> bool:
    """Whether the flatbuffer's file identifier is TensorFlow Lite's."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"TFL3"


_KINDS: dict[str, tuple[str, Callable[[Path], bool]]] = {
    ".onnx": ("an ONNX file", _begins_as_onnx),
    ".xml": ("an OpenVINO IR", _begins_as_ir),
    ".tflite": ("a TensorFlow Lite file", _begins_as_tflite),
}
