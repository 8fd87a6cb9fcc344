"""A model that is ready to run: compiled with pinned settings that are read back, its inputs in place."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_deploy.model_file import gist, inputs_of, read_model
from edge_deploy.settings import INT8, Asked, devices_in, properties_of, reported
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.profile import Input, Setting

NUMBERS = ("f32", "f16", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "boolean")
"""Element types of inputs that numpy has, too."""


@dataclass(frozen=True)
class Compiled:
    """A compiled model and its one request, whose input tensors are allocated and filled once.

    `settings` is what the device says beside what was `asked`; `precision`, `threads` and `streams` are its answers.
    `runs_on` are the devices that do the work, and `architecture` is the first one's, empty where it tells none.
    `tensors` keeps the arrays alive that the request reads. `compile_ms` is how long the compilation took.
    """

    path: Path
    model: Any
    compiled: Any
    request: Any
    tensors: tuple[NDArray[Any], ...]
    seed: int
    inputs: tuple[Input, ...]
    asked: Asked
    device_name: str
    runs_on: tuple[str, ...]
    architecture: str
    settings: tuple[Setting, ...]
    precision: str
    threads: int
    streams: int
    compile_ms: float

    def infer(self) -> None:
        """One inference. Inputs and outputs stay where they are, so that Python adds microseconds, not copies."""
        self.request.infer(share_inputs=True, share_outputs=True)

    @property
    def request_ms(self) -> float:
        """How long the last request took, by OpenVINO's own clock."""
        return float(self.request.latency)

    @property
    def outputs(self) -> tuple[NDArray[Any], ...]:
        """Copies of what the last request gave."""
        return tuple(tensor.data.copy() for tensor in self.request.output_tensors)


def compile_model(path: Path, asked: Asked | None = None, counters: bool = False, seed: int = 0) -> Compiled:
    """A model ready to run, at batch 1.

    The model is always read from its file: OpenVINO 2026.4 runs the LSTM of a model that `openvino.convert_model` made
    in memory as an opaque TensorIterator, and the same model read from disk as its fast sequence kernel.

    Args:
        path: an ONNX file (.onnx), an OpenVINO IR (.xml, its .bin beside it) or a TensorFlow Lite file (.tflite).
        asked: of the device; by default f32 on one thread and one stream of the CPU.
        counters: whether each layer's time is counted, which slows the whole.
        seed: draws the inputs: floats from a normal distribution, integers 0 or 1.

    Raises:
        InputError: the file can't be read as a model, or an input has no static shape.
        MissingError: the device is not on this machine.
    """
    import openvino as ov

    asked = asked or Asked()
    core = ov.Core()
    devices_in(core, asked.device)
    return _compile(core, path, read_model(path, asked.shapes), asked, counters, seed)


def with_counters(ready: Compiled) -> Compiled:
    """The same model once more, freshly compiled with the same settings, its layers' times counted."""
    import openvino as ov

    return _compile(ov.Core(), ready.path, ready.model, ready.asked, True, ready.seed)


def device_name(device: str) -> str:
    """What a device calls itself; for one that hands models on, what those call themselves.

    Raises:
        MissingError: it is not on this machine.
    """
    import openvino as ov

    core = ov.Core()
    return _full_name(core, devices_in(core, device))


def random_inputs(inputs: Sequence[Input], seed: int) -> tuple[NDArray[Any], ...]:
    """Arrays for the inputs of a model, the same for the same seed.

    Args:
        inputs: their shapes and OpenVINO element types.
        seed: of the generator. Floats are normal, everything else is 0 or 1, which any index or mask can be.

    Raises:
        InputError: an input is of a type that numpy has not.
    """
    import openvino as ov

    generator = np.random.default_rng(seed)
    arrays = []
    for each in inputs:
        if each.type not in NUMBERS:
            raise InputError(
                f"input {each.name}: is of type {each.type}, which numpy has no form for; export the model with one of "
                f"{', '.join(NUMBERS)}"
            )
        dtype = np.dtype(getattr(ov.Type, each.type).to_dtype())
        floating = np.issubdtype(dtype, np.floating)
        values: NDArray[Any]
        if floating:  # in single precision, for a tensor of 128 MiB takes half as long
            values = generator.standard_normal(each.shape, dtype=np.float32)
        else:
            values = generator.integers(0, 2, each.shape)
        arrays.append(np.asarray(values, dtype=dtype, order="C"))
    return tuple(arrays)


def _compile(core: Any, path: Path, model: Any, asked: Asked, counters: bool, seed: int) -> Compiled:
    import openvino as ov

    inputs = inputs_of(path, model)
    begin = time.perf_counter()
    try:
        compiled = core.compile_model(model, asked.device, properties_of(core, asked, counters))
    except RuntimeError as error:
        raise InputError(f"{path}: {asked.device} cannot compile it ({gist(error)}); try another --device") from error
    compile_ms = 1000 * (time.perf_counter() - begin)
    request = compiled.create_infer_request()
    tensors = random_inputs(inputs, seed)
    for index, tensor in enumerate(tensors):
        # A single number is copied: OpenVINO shares none.
        request.set_input_tensor(index, ov.Tensor(tensor, shared_memory=tensor.ndim > 0))
    settings = reported(compiled, asked)
    told = {each.name: each.reported for each in settings}
    runs_on = tuple(told["runs on"].split(", ")) if told.get("runs on") else devices_in(core, asked.device)
    return Compiled(
        path=path,
        model=model,
        compiled=compiled,
        request=request,
        tensors=tensors,
        seed=seed,
        inputs=inputs,
        asked=asked,
        device_name=_full_name(core, runs_on),
        runs_on=runs_on,
        architecture=_architecture(core, runs_on[0]),
        settings=settings,
        precision=_int8_or(compiled, told["precision"]) if asked.precision == INT8 else told["precision"],
        threads=int(told["threads"] or 0) if "threads" in told else 0,
        streams=int(told["streams"] or 0) if "streams" in told else 0,
        compile_ms=compile_ms,
    )


def check_settings(ready: Iterable[Compiled]) -> None:
    """See that models compute in the precision and on the threads that were asked for.

    Raises:
        MissingError: the device computes in another one, or on others.
    """
    ready = list(ready)
    for each in ready:
        if each.asked.threads is not None and each.threads not in (0, each.asked.threads):  # 0: the device doesn't tell
            raise MissingError(
                f"--threads {each.asked.threads}: {each.asked.device} runs on {each.threads}; ask for that"
            )
    others = {
        each.precision: each for each in ready if each.precision not in (each.asked.precision, "")
    }  # some don't tell
    for each in others.values():
        if each.asked.precision == INT8:
            raise MissingError(
                f"--precision int8: {each.asked.device} computes {each.path} in {each.precision}; give a quantised "
                f"model, or ask for {each.precision}"
            )
        runs_in = " and ".join(sorted(others))
        raise MissingError(
            f"--precision {each.asked.precision}: {each.asked.device} computes in {runs_in} instead; ask for that, or "
            "for another --device"
        )


def _full_name(core: Any, devices: Sequence[str]) -> str:
    return " and ".join(str(core.get_property(each, "FULL_DEVICE_NAME")).strip() for each in devices)


def _architecture(core: Any, device: str) -> str:
    if "DEVICE_ARCHITECTURE" not in core.get_property(device, "SUPPORTED_PROPERTIES"):
        return ""
    return str(core.get_property(device, "DEVICE_ARCHITECTURE"))


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
