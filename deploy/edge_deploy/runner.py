"""`Runner`: a bundle as a function, for whoever ships it.

from edge_deploy import Runner

runner = Runner("runs/demo/bundles/knee")
answer = runner(sample)  # (channels, height, width) or (channels, steps), as the sensor gives it
print(answer.label, answer.scores)
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_deploy.bundle import read_bundle
from edge_deploy.runtime import compile_model
from edge_deploy.settings import Asked
from edge_toolkit.data.resize import resized
from edge_toolkit.errors import InputError


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says of a sample: the name and the place of the largest score, and all scores, (classes,)."""

    label: str
    index: int
    scores: NDArray[np.float32]


class Runner:
    """A bundle, loaded and checked, that answers samples.

    Args:
        path: the bundle's folder or .zip.
        device: an OpenVINO device.
        precision: asked of the device.
        threads: of the CPU, for each request.
        requests: how many `map` keeps under way; each computes on its own stream.

    Raises:
        InputError: there is no bundle, or an option breaks a rule.
        AnswerIsNo: a file of the bundle was changed.
        MissingError: the device is not here, or the bundle was not exported in int8.
    """

    def __init__(
        self, path: str | Path, device: str = "CPU", precision: str = "f32", threads: int = 1, requests: int = 1
    ) -> None:
        self.bundle = read_bundle(Path(path))
        asked = Asked(device, precision, threads * requests, requests)
        self._ready = compile_model(self.bundle.ir_in(precision), asked)
        self._requests = requests

    def __call__(self, sample: NDArray[Any]) -> Answer:
        """The answer to a sample, in the units of the data.

        Args:
            sample: an image, (channels, height, width), resized where it has another size; or a sequence,
                (channels, steps), of as many steps as the network takes: to stretch time is no resizing.

        Raises:
            InputError: it has another shape, or a value that is no number.
        """
        self._ready.request.infer([self._prepared(sample)])
        return self._answer(self._ready.request)

    def map(self, samples: Iterable[NDArray[Any]]) -> Iterator[Answer]:
        """The answers to many samples, in their order, several under way at once.

        Raises:
            InputError: one has another shape, or a value that is no number.
        """
        # Its own, so that nothing else that the runner is asked meanwhile writes over an answer.
        free = deque(self._ready.compiled.create_infer_request() for _ in range(self._requests))
        running = deque[Any]()
        try:
            for sample in samples:
                if not free:
                    yield self._finished(running, free)
                free[0].start_async([self._prepared(sample)])
                running.append(free.popleft())
            while running:
                yield self._finished(running, free)
        finally:
            for request in running:  # whoever asked has stopped listening
                request.wait()

    def _finished(self, running: deque[Any], free: deque[Any]) -> Answer:
        request = running.popleft()
        request.wait()
        free.append(request)
        return self._answer(request)

    def _prepared(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """As the network takes it: (1, channels, height, width), resized and normalised."""
        manifest = self.bundle.manifest
        channels, height, width = manifest.input
        x = np.asarray(sample, dtype=np.float32)
        if height == 1 and x.ndim == 2:
            x = x[:, None]
        fits = x.shape == manifest.input if height == 1 else x.ndim == 3 and x.shape[0] == channels and 0 not in x.shape
        if not fits:
            takes = f"({channels}, {width})" if height == 1 else f"({channels}, height, width)"
            raise InputError(f"sample: has the shape {np.shape(sample)}, and {manifest.name} takes {takes}")
        if not np.isfinite(x).all():
            raise InputError("sample: holds a value that is no finite number; leave such samples out")
        return np.ascontiguousarray(manifest.normalisation.apply(resized(x[None], height, width)))

    def _answer(self, request: Any) -> Answer:
        scores = request.get_output_tensor(0).data[0].copy()
        index = int(scores.argmax())
        return Answer(self.bundle.manifest.labels[index], index, scores)
