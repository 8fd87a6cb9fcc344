"""What a device can do at most, measured here and now with the same settings: the roof that rows are held against.

A product of two square matrices gives the multiply-accumulates a second; a sum with a constant the bytes, with a tensor
that no cache holds. On a CPU, a copy inside a core's own cache tells how much faster that is, times the threads of a
request.
Source: Williams et al., Roofline, CACM 2009, with ceilings measured as in the Empirical Roofline Toolkit.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.settings import INT8, Asked
from edge_toolkit.machine import last_cache_kib
from edge_toolkit.profile import Peaks

SIDE = 768
"""Rows and columns of the matrices: 0.45 G multiply-accumulates, several ms of a core, with operands beyond its L2."""

MEMORY_MIB = (64, 128)
"""Least and most size of the tensor that no cache should hold; four times the last cache in between."""

CACHED_KIB = 128
"""Size of the tensor that a core's own cache holds, read and written: 256 KiB in all."""

COPIES = 100

LEAST = 5
"""Fewest requests."""


def peaks(asked: Asked, seconds: float = 0.75) -> Peaks:
    """Measure the roof of a device.

    Args:
        asked: device, precision, threads and streams, as the model had them.
        seconds: to spend, a third of it on each figure, besides the making of the models, about as long again.
    """
    mib = int(np.clip(4 * (last_cache_kib() or 0) // 1024, *MEMORY_MIB))
    asked = Asked(asked.device, asked.precision, asked.threads, asked.streams, asked.hint)
    with tempfile.TemporaryDirectory(prefix="edge-toolkit-") as folder:
        place = Path(folder)
        product = _compiled(_product(asked.precision == INT8), place / "product.xml", asked)
        product_ms = _fastest_ms(product, seconds / 3)
        memory_ms = _fastest_ms(_compiled(_sum(mib), place / "memory.xml", asked), seconds / 3)
    return Peaks(
        gmac_s=SIDE**3 / product_ms / 1e6,
        memory_gb_s=2 * mib * 2**20 / memory_ms / 1e6,
        cache_gb_s=_copied_gb_s(seconds / 3) * max(1, product.threads // max(1, product.streams))
        if product.runs_on == ("CPU",)
        else None,
    )


def _compiled(model: Any, path: Path, asked: Asked) -> Compiled:
    import openvino as ov

    ov.save_model(model, path, compress_to_fp16=False)
    return compile_model(path, asked)


def _fastest_ms(ready: Compiled, seconds: float) -> float:
    """The shortest request: what else runs on the machine only makes a request longer."""
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST or time.perf_counter() - begin < seconds:
        ready.infer()
        times.append(ready.request_ms)
    return min(times)


def _product(int8: bool) -> Any:
    """x: (SIDE, SIDE) @ weights (SIDE, SIDE)."""
    import openvino as ov
    from openvino import opset13 as ops

    x = ops.parameter([SIDE, SIDE], np.float32, name="x")
    generator = np.random.default_rng(0)
    if not int8:
        weights: Any = ops.constant(generator.standard_normal((SIDE, SIDE), dtype=np.float32))
        return ov.Model([ops.matmul(x, weights, False, False)], [x])
    steps = ops.constant(generator.integers(-127, 128, (SIDE, SIDE)).astype(np.int8))
    weights = ops.multiply(ops.convert(steps, "f32"), ops.constant(np.full((SIDE, 1), 0.01, np.float32)))
    low, high = ops.constant(np.float32(-4)), ops.constant(np.float32(4 - 8 / 256))
    return ov.Model([ops.matmul(ops.fake_quantize(x, low, high, low, high, 256), weights, False, True)], [x])


def _sum(mib: int) -> Any:
    """x + 1, float32: reads x and writes as much."""
    import openvino as ov
    from openvino import opset13 as ops

    x = ops.parameter([mib, 2**18], np.float32, name="x")
    return ov.Model([ops.add(x, ops.constant(np.float32(1)))], [x])


def _copied_gb_s(seconds: float) -> float:
    """Bytes that one core reads and writes a second where its own cache holds them."""
    source = np.ones(CACHED_KIB * 256, np.float32)
    target = np.empty_like(source)
    fastest, begin = float("inf"), time.perf_counter()
    while fastest == float("inf") or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(COPIES):
            np.copyto(target, source)
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * source.nbytes * COPIES / fastest / 1e9
