"""`Frames`: a model run at the pace of a display, and how often it came too late."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Frames:
    """Paced requests, one a frame; a frame is due when the next one begins.

    Attributes:
        fps: the pace.
        count: frames that began, those that were skipped because an earlier one took too long among them.
        missed: frames that were answered too late, or skipped.
        late_ms: how late frames began, median and 99th percentile: the system's wake-up, which a headset has too.
        response_ms: from when a frame was due to begin to its answer: median, 99th percentile, largest.
        jitter_ms: standard deviation of the response.
        drift_ms: median response of the last tenth of the frames less that of the first: heat, or a clock that falls.
    """

    fps: float
    count: int
    missed: int
    late_ms: tuple[float, float]
    response_ms: tuple[float, float, float]
    jitter_ms: float
    drift_ms: float
