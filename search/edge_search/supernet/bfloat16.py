"""Whether training in bfloat16 pays on a device."""

import torch

from edge_toolkit.machine import cpu_flags


def bfloat16_pays(device: torch.device) -> bool:
    """Whether autocast to bfloat16 is worth it: on GPUs that have it, and on CPUs with AMX.

    AVX-512's bfloat16 is not enough: oneDNN's backward pass of a depthwise convolution is slower in it (measured in
    docs/benchmarks.md).

    Args:
        device: what trains.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return "amx_bf16" in cpu_flags()
