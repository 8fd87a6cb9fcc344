"""Requests at the pace of a display: one a frame, each due before the next begins."""

import time
from collections.abc import Callable

import numpy as np

from edge_deploy.latency import Floats, Runnable, no_collection
from edge_toolkit.frames import Frames

LEAST = 20
"""Fewest frames; drift is told between tenths of them."""


def paced(
    model: Runnable,
    fps: float,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    wait: Callable[[float], None] = time.sleep,
) -> Frames:
    """Run a model once a frame.

    A frame that is answered after the next one should have begun is missed, and so is each that should have begun
    meanwhile: the next to begin is the first whose time has not passed, as where a display's clock starts them.

    Args:
        model: warmed up.
        fps: frames a second.
        seconds: to run for; at least `LEAST` frames.
        clock: tells the time, s.
        wait: sleeps for so many seconds.
    """
    period = 1 / fps
    frames = max(LEAST, round(seconds * fps))
    late: list[float] = []
    response: list[float] = []
    missed, frame = 0, 0
    with no_collection():
        start = clock() + period
        while frame < frames:
            due = start + frame * period
            if (ahead := due - clock()) > 0:
                wait(ahead)
            late.append(clock() - due)
            model.infer()
            response.append(clock() - due)
            over = int(response[-1] / period)  # frames that should have begun meanwhile: they are skipped
            missed += min(1 + over, frames - frame) if over else 0
            frame += 1 + over
    return _frames(fps, frames, missed, 1000 * np.array(late), 1000 * np.array(response))


def _frames(fps: float, count: int, missed: int, late_ms: Floats, response_ms: Floats) -> Frames:
    tenth = max(1, len(response_ms) // 10)
    median, p99, largest = (float(each) for each in np.percentile(response_ms, [50, 99, 100]))
    return Frames(
        fps=fps,
        count=count,
        missed=missed,
        late_ms=(float(np.median(late_ms)), float(np.percentile(late_ms, 99))),
        response_ms=(median, p99, largest),
        jitter_ms=float(response_ms.std()),
        drift_ms=float(np.median(response_ms[-tenth:]) - np.median(response_ms[:tenth])),
    )
