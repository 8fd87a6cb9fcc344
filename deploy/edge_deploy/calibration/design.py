"""Which networks to measure: few of many, such that every coefficient of the predictor is well determined."""

import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.cli import build_app
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.files import read_text
from edge_toolkit.layer_terms import terms_of
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import ModelSpec, digest, spec_from_json

Floats = NDArray[np.float64]

CANDIDATES = 1000
"""Networks of a space that the sample is chosen from."""

RIDGE = 0.1
"""What is taken as known of each coefficient beforehand, as a share of a network's mean evidence on it."""


def sample_of_space(space: str, networks: int, seed: int) -> tuple[ModelSpec, ...]:
    """A designed sample of a space.

    The space belongs to another room, so it is asked through that room's command, `edge-toolkit spaces`.

    Args:
        space: a space that ships, or the path of a YAML file.
        networks: how many.
        seed: of the candidates.

    Raises:
        InputError: there is no such space, or it holds fewer networks.
    """
    size = json.loads(_answer("spaces", "show", space, "--json", "-"))["size"]
    if networks > size:
        raise InputError(f"--networks {networks}: {space} holds {size}; use that many at most")
    drawn = _answer("spaces", "sample", space, "--count", str(min(CANDIDATES, size)), "--seed", str(seed))
    return designed(architectures_in(drawn, space), networks)


def sample_of_file(path: Path, networks: int) -> tuple[ModelSpec, ...]:
    """A designed sample of the architectures in a file, one JSON a line; all of them where they are no more.

    Raises:
        InputError: the file can't be read, or a line is no architecture.
    """
    return designed(architectures_in(read_text(path), str(path)), networks)


def architectures_in(text: str, what: str) -> tuple[ModelSpec, ...]:
    """The distinct architectures in lines of JSON.

    Raises:
        InputError: a line is no JSON or no architecture, or there is none.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            spec = spec_from_json(_plain(line, f"{what}, line {number}"), f"{what}, line {number}")
            found[digest(spec)] = spec
    if not found:
        raise InputError(f"{what}: holds no architecture; `edge-toolkit spaces sample SPACE -n 100` writes some")
    return tuple(found.values())


def designed(candidates: Sequence[ModelSpec], networks: int) -> tuple[ModelSpec, ...]:
    """Those whose terms, relative to about what each network takes, span the most: greedily D-optimal.

    Source: Atkinson, Donev and Tobias, Optimum Experimental Designs, with SAS, 2007, chapter 12 (sequential addition).
    """
    tables = [layers_of(spec) for spec in candidates]
    device = load_device("cpu-host")  # any device does, for it is about the order of magnitude
    about_us = np.array([1e3 * estimate(table, device).latency_ms for table in tables])
    evidence = np.stack([terms_of(table).sum(axis=0) for table in tables]) / about_us[:, None]
    return tuple(candidates[place] for place in spanning(evidence, min(networks, len(candidates))))


def spanning(evidence: Floats, count: int) -> list[int]:
    """Indices of `count` rows of (candidates, terms), each the one that adds most to the determinant of the moments."""
    used = evidence[:, evidence.any(axis=0)]
    scaled = used / np.sqrt((used**2).mean(axis=0))
    inverse = np.eye(scaled.shape[1]) / RIDGE
    left, chosen = np.ones(len(scaled), dtype=bool), list[int]()
    for _ in range(count):
        gains = np.where(left, np.einsum("nt,ts,ns->n", scaled, inverse, scaled, optimize=True), -np.inf)
        best = int(gains.argmax())
        chosen.append(best)
        left[best] = False
        along = inverse @ scaled[best]
        inverse -= np.outer(along, along) / (1 + scaled[best] @ along)
    return chosen


def _answer(*arguments: str) -> str:
    """What a command writes to standard output."""
    with redirect_stdout(StringIO()) as written:
        build_app()(args=list(arguments), standalone_mode=False)
    return written.getvalue()


def _plain(line: str, what: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{what}: is not JSON ({error.msg}); write one architecture a line") from error
