"""A model that is ready to run: compiled with pinned settings that are read back, its inputs in place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.profile import Input

INT8 = "int8"
PRECISIONS = ("f32", "bf16", "f16", INT8)
"""What can be asked for. int8 is asked of a quantised model: what is not quantised in it computes in f32."""


@dataclass(frozen=True)
class Compiled:
    """A compiled model and its one request, whose input tensors are allocated and filled once.

    `precision`, `threads` and `streams` are read back from the device; `asked_precision` and `asked_threads` are not.
    `tensors` keeps the arrays alive that the request reads.
    """

    path: Path
    model: Any
    compiled: Any
    request: Any
    tensors: tuple[NDArray[Any], ...]
    seed: int
    inputs: tuple[Input, ...]
    device: str
    device_name: str
    asked_precision: str
    asked_threads: int
    precision: str
    threads: int
    streams: int

    def infer(self) -> None:
        """One inference. Inputs and outputs stay where they are, so that Python adds microseconds, not copies."""
        self.request.infer(share_inputs=True, share_outputs=True)

    @property
    def request_ms(self) -> float:
        """How long the last request took, by OpenVINO's own clock."""
        return float(self.request.latency)


def compile_model(
    path: Path,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    counters: bool = False,
    seed: int = 0,
) -> Compiled:
    """A model ready to run, at batch 1 and one stream.

    The model is always read from its file: OpenVINO 2026.4 runs the LSTM of a model that `openvino.convert_model` made
    in memory as an opaque TensorIterator, and the same model read from disk as its fast sequence kernel.

    Args:
        path: an ONNX file (.onnx) or an OpenVINO IR (.xml, its .bin beside it).
        device: an OpenVINO device that is present, such as CPU or NPU.
        precision: one of `PRECISIONS`; asked for, since the default is a device's own (often bf16).
        threads: of the CPU.
        counters: whether each layer's time is counted, which slows the whole.
        seed: draws the inputs: floats from a normal distribution, integers 0 or 1.

    Raises:
        InputError: the file can't be read as a model, or an input has no static shape, or an option breaks a rule.
        MissingError: the device is not on this machine.
    """
    import openvino as ov

    check_options(precision, threads)
    core = ov.Core()
    _check_device(core, device)
    return _compile(core, path, _read(core, path), device, precision, threads, counters, seed)


def with_counters(ready: Compiled) -> Compiled:
    """The same model once more, freshly compiled with the same settings, its layers' times counted."""
    import openvino as ov

    threads = ready.threads or 1
    return _compile(ov.Core(), ready.path, ready.model, ready.device, ready.asked_precision, threads, True, ready.seed)


def read_model(path: Path) -> Any:
    """The `openvino.Model` in a file, for questions that need no device.

    Raises:
        InputError: the file can't be read as a model.
    """
    import openvino as ov

    return _read(ov.Core(), path)


def device_name(device: str) -> str:
    """What a device calls itself.

    Raises:
        MissingError: it is not on this machine.
    """
    import openvino as ov

    core = ov.Core()
    _check_device(core, device)
    return str(core.get_property(device, "FULL_DEVICE_NAME")).strip()


def random_inputs(inputs: Sequence[Input], seed: int) -> tuple[NDArray[Any], ...]:
    """Arrays for the inputs of a model, the same for the same seed.

    Args:
        inputs: their shapes and OpenVINO element types.
        seed: of the generator. Floats are normal, everything else is 0 or 1, which any index or mask can be.
    """
    import openvino as ov

    generator = np.random.default_rng(seed)
    arrays = []
    for each in inputs:
        dtype = np.dtype(getattr(ov.Type, each.type).to_dtype())
        floating = np.issubdtype(dtype, np.floating)
        values = generator.standard_normal(each.shape) if floating else generator.integers(0, 2, each.shape)
        arrays.append(np.ascontiguousarray(values.astype(dtype)))
    return tuple(arrays)


def _compile(
    core: Any, path: Path, model: Any, device: str, precision: str, threads: int, counters: bool, seed: int
) -> Compiled:
    import openvino as ov

    inputs = static_inputs(path, model)
    supported = set(core.get_property(device, "SUPPORTED_PROPERTIES"))
    wanted = {
        "INFERENCE_PRECISION_HINT": "f32" if precision == INT8 else precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERF_COUNT": counters,
    }
    try:
        compiled = core.compile_model(model, device, {key: wanted[key] for key in wanted if key in supported})
    except RuntimeError as error:
        raise InputError(f"{path}: {device} cannot compile it ({gist(error)}); try another --device") from error
    hint = _read_back(compiled, "INFERENCE_PRECISION_HINT", supported)
    request = compiled.create_infer_request()
    tensors = random_inputs(inputs, seed)
    for index, tensor in enumerate(tensors):
        request.set_input_tensor(index, ov.Tensor(tensor, shared_memory=True))
    return Compiled(
        path=path,
        model=model,
        compiled=compiled,
        request=request,
        tensors=tensors,
        seed=seed,
        inputs=inputs,
        device=device,
        device_name=str(core.get_property(device, "FULL_DEVICE_NAME")).strip(),
        asked_precision=precision,
        asked_threads=threads,
        precision=_int8_or(compiled, hint) if precision == INT8 else hint,
        threads=int(_read_back(compiled, "INFERENCE_NUM_THREADS", supported) or 0),
        streams=int(_read_back(compiled, "NUM_STREAMS", supported) or 0),
    )


def check_options(precision: str, threads: int) -> None:
    """See that options make sense, whatever the device.

    Raises:
        InputError: they do not; all problems are told together.
    """
    problems = []
    if precision not in PRECISIONS:
        problems.append(f"--precision {precision} is not known; use one of {', '.join(PRECISIONS)}")
    if threads < 1:
        problems.append(f"--threads {threads} must be at least 1")
    if problems:
        raise InputError.listing("options", problems)


def check_settings(ready: Iterable[Compiled]) -> None:
    """See that models compute in the precision and on the threads that were asked for.

    Raises:
        MissingError: the device computes in another one, or on others.
    """
    ready = list(ready)
    for each in ready:
        if each.threads not in (0, each.asked_threads):  # 0 where the device doesn't tell
            raise MissingError(f"--threads {each.asked_threads}: {each.device} runs on {each.threads}; ask for that")
    others = {
        each.precision: each for each in ready if each.precision not in (each.asked_precision, "")
    }  # some don't tell
    for each in others.values():
        if each.asked_precision == INT8:
            raise MissingError(
                f"--precision int8: {each.device} computes {each.path} in {each.precision}; give a quantised model, or "
                f"ask for {each.precision}"
            )
        runs_in = " and ".join(sorted(others))
        raise MissingError(
            f"--precision {each.asked_precision}: {each.device} computes in {runs_in} instead; ask for that, or for "
            "another --device"
        )


def _check_device(core: Any, device: str) -> None:
    available = list(core.available_devices)
    # A device with several units is listed as GPU.0, GPU.1; GPU alone means the first.
    if device not in available and device not in {each.partition(".")[0] for each in available}:
        raise MissingError(
            f"--device {device}: OpenVINO does not see it on this machine; use one of {', '.join(available)}, or "
            f"install the driver of {device}"
        )


def _read(core: Any, path: Path) -> Any:
    if path.suffix not in (".onnx", ".xml"):
        raise InputError(
            f"{path}: is neither an ONNX file (.onnx) nor an OpenVINO IR (.xml); give one, or a bundle's folder"
        )
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give the path of a model or of a bundle")
    # Checked here, since OpenVINO tries its other formats on a file that it can't read, and those complain aloud.
    if path.suffix == ".xml" and not _is_ir(path):
        raise InputError(f"{path}: is not an OpenVINO IR; export the model again")
    if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
        raise InputError(f"{path}: its weights are missing ({path.with_suffix('.bin').name} beside it); export again")
    if path.suffix == ".onnx" and not _begins_as_onnx(path):
        raise InputError(f"{path}: is not an ONNX file; export the model again")
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise InputError(f"{path}: OpenVINO cannot read it ({gist(error)}); export the model again") from error


def _is_ir(path: Path) -> bool:
    try:
        for _, element in ElementTree.iterparse(path, events=("start",)):
            return bool(element.tag == "net")
    except ElementTree.ParseError:
        pass
    return False


def _begins_as_onnx(path: Path) -> bool:
    """Whether the first field is `ir_version`, number 1 of ONNX's ModelProto, which every writer puts first."""
    with path.open("rb") as file:
        return file.read(1) == b"\x08"


def static_inputs(path: Path, model: Any) -> tuple[Input, ...]:
    """The inputs of a model.

    Raises:
        InputError: the shape of one is not static.
    """
    return tuple(_input(path, port) for port in model.inputs)


def _input(path: Path, port: Any) -> Input:
    name = port.any_name if port.names else port.node.friendly_name
    if port.partial_shape.is_dynamic:
        raise InputError(
            f"{path}: input {name} has the shape {port.partial_shape}, and only static shapes are measured; export "
            "the model with fixed sizes"
        )
    return Input(name, tuple(port.shape), port.element_type.to_string())


def _read_back(compiled: Any, name: str, supported: set[str]) -> str:
    if name not in supported:
        return ""
    value = compiled.get_property(name)
    return str(value.to_string() if hasattr(value, "to_string") else value)


def _int8_or(compiled: Any, hint: str) -> str:
    """int8 where any node computes in it, else the hint; empty where the device does not tell."""
    try:
        nodes = compiled.get_runtime_model().get_ops()
    except RuntimeError:
        return ""
    return INT8 if any(runtime_info(op, "runtimePrecision") in ("i8", "u8") for op in nodes) else hint


def runtime_info(op: Any, key: str) -> str:
    """What the runtime model says of an executed node; empty where it says nothing."""
    return str(op.rt_info[key].astype(str)) if key in op.rt_info else ""


def gist(error: Exception) -> str:
    """The last line of OpenVINO's message: those before it are places in its sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
