"""The networks of a kit measured in turn, again and again, every visit kept as a line of a file.

A visit compiles a network anew, for two compilations of one model differ by a percent or two, warms it up, and takes
the median of each of some short windows. What a request takes is that of the quietest window of all: whatever else a
machine does only adds to it, and of the statistics that were tried this one came out the most alike when the same
networks were measured again on a busy machine (docs/lab-log.md).
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from edge_deploy.calibration.executed import rows_executed
from edge_deploy.calibration.fit import Rows
from edge_deploy.calibration.kit import Kit, model_of, spec_of
from edge_deploy.latency import no_collection
from edge_deploy.runtime import Compiled, check_settings, compile_model
from edge_deploy.settings import Asked
from edge_toolkit.calibration import Repeatability
from edge_toolkit.console import note, progress
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_text, write_text, writing
from edge_toolkit.measured import Settings

TURNS = 6
"""Visits to each network."""

MOST_TURNS = 10
"""Visits where the machine is noisy."""

NOISY = 0.015
"""Mean difference between two halves of the visits from which on there are more of them."""

PATIENCE_S = 1.5
"""Measuring is not prolonged once it has taken this long a network."""

COUNTED = (0, 3)
"""Turns in which the executed nodes are counted, too."""

WARM = 20
"""Requests before the windows of a visit."""

WINDOW_MS = 2.0
"""Length of a window, at least: short enough to find a quiet moment ..."""

REQUESTS = 5
"""... and this many requests, at least."""

VISIT_MS = 80.0
"""Length of all windows of a visit, about."""

WINDOWS = (3, 20)
"""Fewest and most windows of a visit."""


@dataclass(frozen=True)
class Visit:
    """Windows of a network in one turn: the median request of each, us; with the executed rows in some turns."""

    network: str
    turn: int
    windows_us: tuple[float, ...]
    rows: Mapping[str, tuple[float, ...]] | None = None


def measured(folder: Path, kit: Kit, file: Path, settings: Settings) -> tuple[Visit, ...]:
    """Measure the networks of a kit, or go on where an earlier process was stopped.

    Args:
        folder: of the kit.
        kit: what it holds.
        file: where each visit is kept as soon as it is over.
        settings: device, precision and threads.

    Returns:
        All visits.

    Raises:
        InputError: the file holds visits with other settings, or to other networks.
        MissingError: the device computes in another precision than asked for.
    """
    visits = list(_begun(file, kit, settings))
    turns, begin = TURNS, time.perf_counter()
    while True:
        visits += _visited(folder, kit, file, settings, visits, turns)
        late = turns >= MOST_TURNS or time.perf_counter() - begin > PATIENCE_S * len(kit.names)
        if late or repeatability(visits).mean <= NOISY:
            return tuple(visits)
        turns += 2
        note(f"the machine is noisy: the networks are measured again, turn {turns} of at most {MOST_TURNS}")


def requests_us(visits: Sequence[Visit]) -> dict[str, float]:
    """What a request of each network takes: the median of its quietest window."""
    quietest: dict[str, float] = {}
    for visit in visits:
        quietest[visit.network] = min(*visit.windows_us, quietest.get(visit.network, np.inf))
    return quietest


def rows_us(visits: Sequence[Visit]) -> dict[str, Rows | None]:
    """What was executed of each network; the least time of those counted."""
    counted: dict[str, list[Mapping[str, tuple[float, ...]]]] = {visit.network: [] for visit in visits}
    for visit in visits:
        if visit.rows is not None:
            counted[visit.network].append(visit.rows)
    return {
        name: Rows(
            executed_by=np.array(rows[0]["executed_by"], dtype=np.int64),
            time_us=np.min([each["time_us"] for each in rows], axis=0),
            nodes=np.array(rows[0]["nodes"], dtype=np.int64),
        )
        if rows
        else None
        for name, rows in counted.items()
    }


def repeatability(visits: Sequence[Visit]) -> Repeatability:
    """How far the even turns are from the odd ones."""
    even, odd = (requests_us([visit for visit in visits if visit.turn % 2 == half]) for half in (0, 1))
    apart = np.abs(np.array([even[name] / odd[name] for name in even]) - 1)
    return Repeatability(mean=round(float(apart.mean()), 5), p95=round(float(np.percentile(apart, 95)), 5))


def _visited(
    folder: Path, kit: Kit, file: Path, settings: Settings, visits: Sequence[Visit], turns: int
) -> list[Visit]:
    """The visits that are missing up to a turn, each kept when it is over."""
    done = {(visit.network, visit.turn) for visit in visits}
    taken = []
    order = [(name, turn) for turn in range(turns) for name in (kit.names if turn % 2 == 0 else kit.names[::-1])]
    with no_collection(), progress("measure", len(order), len(done)) as advance:
        for name, turn in order:
            if (name, turn) not in done:
                taken.append(_visit(folder, name, turn, settings))
                with writing(file), file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(taken[-1])) + "\n")
                advance(name)
    return taken


def _visit(folder: Path, name: str, turn: int, settings: Settings) -> Visit:
    asked = Asked(settings.device, settings.precision, settings.threads)
    ready = compile_model(model_of(folder, name), asked)
    check_settings([ready])
    windows = _windows(ready)
    rows = rows_executed(ready, spec_of(folder, name)) if turn in COUNTED else None
    return Visit(name, turn, windows, rows)


def _windows(ready: Compiled) -> tuple[float, ...]:
    warm_ms = float(np.median(_requests_ms(ready, WARM)[-5:]))
    requests = max(REQUESTS, int(np.ceil(WINDOW_MS / max(warm_ms, 1e-3))))
    fewest, most = WINDOWS
    windows = int(np.clip(VISIT_MS / (requests * max(warm_ms, 1e-3)), fewest, most))
    return tuple(round(1e3 * float(np.median(_requests_ms(ready, requests))), 3) for _ in range(windows))


def _requests_ms(ready: Compiled, count: int) -> list[float]:
    times = []
    for _ in range(count):
        ready.infer()
        times.append(ready.request_ms)
    return times


def _begun(file: Path, kit: Kit, settings: Settings) -> tuple[Visit, ...]:
    """The visits in a file, whose first line says how they are taken; the file begins with it where there is none."""
    heading = json.dumps({"settings": asdict(settings), "networks": kit.names}) + "\n"
    lines = read_text(file).splitlines(keepends=True) if file.is_file() else []
    whole = [line for line in lines if line.endswith("\n")]  # the last one may have been cut off
    plain = [_plain(file, number, line) for number, line in enumerate(whole, start=1)]
    if plain and plain[0] != json.loads(heading):
        raise InputError(
            f"{file}: was begun with other settings, or on other networks; give those again, or remove the file"
        )
    if not whole or whole != lines:
        write_text(file, "".join(whole) or heading)
    return tuple(checked(_ADAPTER, each, str(file)) for each in plain[1:])


def _plain(file: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise InputError(f"{file}: line {number} is damaged; remove the line, or the file to measure again") from error


_ADAPTER: TypeAdapter[Visit] = TypeAdapter(Visit)
