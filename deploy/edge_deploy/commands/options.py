"""Options that several commands of the device share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge_deploy.settings import Asked


def _upper(name: str) -> str:
    return name.upper()  # as OpenVINO names its devices


TARGET = "A bundle, a model.onnx, a model.xml, a model folder or an architecture.json."

Target = Annotated[Path, typer.Argument(metavar="TARGET", help=TARGET)]
Device = Annotated[
    str,
    typer.Option("--device", "-d", callback=_upper, help="An OpenVINO device: CPU, GPU, NPU, AUTO:..., HETERO:...."),
]
Precision = Annotated[
    str, typer.Option("--precision", "-infer_precision", help="f32, bf16, f16 or int8; read back and shown.")
]
Threads = Annotated[int, typer.Option("--threads", help="Threads of the CPU.")]
ThreadsOrHint = Annotated[
    int | None,
    typer.Option("--threads", "-nthreads", help="Threads of the CPU; 1, or what --hint chooses.", show_default=False),
]
StreamsOrHint = Annotated[
    int | None,
    typer.Option(
        "--streams", "-nstreams", help="Requests side by side; 1, or what --hint chooses.", show_default=False
    ),
]
Hint = Annotated[
    str, typer.Option("--hint", "-hint", help="latency, throughput, cumulative_throughput or none, OpenVINO's hints.")
]
CacheDir = Annotated[
    Path | None, typer.Option("--cache-dir", "-cdir", metavar="DIR", help="Keep compiled models in DIR.")
]
Shape = Annotated[
    str | None,
    typer.Option(
        "--shape", "-shape", metavar="SHAPES", help='Sizes of open inputs: "in[1,3,224,224],state[1,64]" or "[1,3,9]".'
    ),
]
Seconds = Annotated[float, typer.Option("--seconds", "-t", min=0.01, max=3600, help="Time to measure each model for.")]
Requests = Annotated[
    int | None,
    typer.Option("--requests", "-niter", min=1, max=10_000_000, help="Requests of each model, in place of --seconds."),
]


def asked_of(
    device: str,
    precision: str,
    threads: int | None,
    streams: int | None,
    hint: str,
    cache: Path | None,
    shape: str | None,
) -> "Asked":
    """What the options ask of a device.

    Raises:
        InputError: one breaks a rule.
    """
    from edge_deploy.settings import Asked
    from edge_deploy.shapes import shapes_from

    if hint == "none":  # pinned, so that two runs are alike
        threads, streams = (1 if each is None else each for each in (threads, streams))
    return Asked(device, precision, threads, streams, hint, cache, () if shape is None else shapes_from(shape))
