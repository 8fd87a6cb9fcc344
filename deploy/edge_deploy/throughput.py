"""Requests a second, with as many under way at once as the device asks for."""

import time

from edge_deploy.runtime import Compiled
from edge_toolkit.profile import Throughput

LEAST = 100
"""Fewest requests that a throughput rests on."""


def throughput(ready: Compiled, at_once: int, seconds: float) -> Throughput:
    """Keep a device busy, and count what it gets done.

    Args:
        ready: the model; each request gets copies of its inputs.
        at_once: requests under way, at least 1.
        seconds: to spend, after a tenth of that to warm up.
    """
    import openvino as ov

    queue = ov.AsyncInferQueue(ready.compiled, at_once)
    inputs = dict(enumerate(ready.tensors))

    def run(spell: float, least: int) -> tuple[int, float]:
        count, begin = 0, time.perf_counter()
        while count < least or time.perf_counter() - begin < spell:
            queue.start_async(inputs)
            count += 1
        queue.wait_all()
        return count, time.perf_counter() - begin

    run(seconds / 10, at_once)
    count, took = run(seconds, LEAST)
    return Throughput(at_once, count / took, count)
