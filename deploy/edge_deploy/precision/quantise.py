"""INT8 by NNCF: a network whose weights and activations are quantised after training."""

import logging
import os
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from numpy.typing import NDArray

from edge_deploy.ir import IR, model_of, name_after_layers, written

os.environ.setdefault("NNCF_CI", "1")  # else NNCF tells Google Analytics that it is used, without asking


def quantised(ir: IR, samples: Sequence[Sequence[NDArray[Any]]], left_out: Sequence[str] = ()) -> IR:
    """An IR in int8: a scale a channel for weights, activations as NNCF's transformer type has them.

    Args:
        ir: in float32.
        samples: inputs that the ranges of activations are taken from, one array an input of the model.
        left_out: layers that stay in float32, by the first part of their operations' names.
    """
    import nncf

    nncf.set_log_level(logging.ERROR)
    model = model_of(ir)
    with redirect_stdout(StringIO()):  # its progress bars
        done = nncf.quantize(
            model,
            nncf.Dataset(samples),
            subset_size=len(samples),
            model_type=nncf.ModelType.TRANSFORMER,
            ignored_scope=nncf.IgnoredScope(patterns=[f"{re.escape(each)}/.*" for each in left_out], validate=False),
        )
    name_after_layers(done)  # what NNCF added is numbered, and the same network would give other bytes
    return written(done)
