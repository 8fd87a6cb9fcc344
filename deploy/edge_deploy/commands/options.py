"""Options that several commands of the device share."""

from typing import Annotated

import typer


def _upper(name: str) -> str:
    return name.upper()  # as OpenVINO names its devices


Device = Annotated[str, typer.Option("--device", "-d", callback=_upper, help="An OpenVINO device.")]
Precision = Annotated[str, typer.Option("--precision", help="f32, bf16, f16 or int8; read back and shown.")]
Threads = Annotated[int, typer.Option("--threads", help="Threads of the CPU.")]
