"""Options that several commands of the device share."""

from pathlib import Path
from typing import Annotated

import typer


def _upper(name: str) -> str:
    return name.upper()  # as OpenVINO names its devices


TARGET = "A bundle, a model.onnx, a model.xml, a model folder or an architecture.json."

Target = Annotated[Path, typer.Argument(metavar="TARGET", help=TARGET)]
Device = Annotated[str, typer.Option("--device", "-d", callback=_upper, help="An OpenVINO device.")]
Precision = Annotated[str, typer.Option("--precision", help="f32, bf16, f16 or int8; read back and shown.")]
Threads = Annotated[int, typer.Option("--threads", help="Threads of the CPU.")]
