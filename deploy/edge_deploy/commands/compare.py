"""`compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_deploy.commands.options import (
    CacheDir,
    Device,
    Hint,
    Precision,
    Requests,
    Seconds,
    Shape,
    StreamsOrHint,
    ThreadsOrHint,
    asked_of,
)
from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from edge_deploy.settings import Asked
    from edge_toolkit.comparing import Difference, Differences
    from edge_toolkit.profile import Profile

app = typer.Typer()

ONE = "A bundle, an .onnx, an .xml, a .tflite, or a profile that `profile --json FILE` wrote."


@app.command("compare")
def compare_command(
    a: Annotated[Path, typer.Argument(metavar="A", help=ONE)],
    b: Annotated[Path, typer.Argument(metavar="B", help="What it is held against: one of the same.")],
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: ThreadsOrHint = None,
    streams: StreamsOrHint = None,
    hint: Hint = "none",
    cache_dir: CacheDir = None,
    shape: Shape = None,
    seconds: Seconds = 3.0,
    requests: Requests = None,
    top: Annotated[int, typer.Option("--top", min=0, help="Show this many rows that differ.")] = 10,
    json_to: JsonTo = None,
) -> None:
    """Tell which of two models is faster, both measured in turn in one run, and which layers make the difference.

    Where A or B is a saved profile, its figures are from a run of its own, which is weaker evidence, and told.
    """
    from dataclasses import asdict

    from edge_toolkit.comparing import differences
    from edge_toolkit.console import note, show
    from edge_toolkit.profile import doubts_of, profile_to_json

    asked = asked_of(device, precision, threads, streams, hint, cache_dir, shape)
    one, other, comparison = _profiles(a, b, asked, seconds, requests)
    found = differences(one, other, comparison)
    payload = {"a": profile_to_json(one), "b": profile_to_json(other), **asdict(found)}
    show(_tables(found, one, other, top), payload, json_to)
    for each in (one, other):
        for doubt in doubts_of(each):
            note(f"warning: {doubt}")


def _profiles(a: Path, b: Path, asked: "Asked", seconds: float, requests: int | None) -> "tuple[Profile, Profile, Any]":
    from dataclasses import replace

    from edge_deploy.profile import Pace, profiled
    from edge_deploy.target import target_of
    from edge_toolkit.errors import InputError
    from edge_toolkit.profile import read_profile

    if asked.shapes and any(path.suffix == ".json" for path in (a, b)):
        raise InputError("--shape: a saved profile has the shapes that it was taken with; leave --shape out")
    live = [path for path in (a, b) if path.suffix != ".json"]
    saved = {path: replace(read_profile(path), baseline=None, comparison=None) for path in {a, b} - set(live)}
    if len(live) == 2:
        (one, other), comparison = profiled(
            [target_of(each, asked.precision) for each in (a, b)], asked, seconds, requests, Pace()
        )
        return one, other, comparison
    taken = {
        path: profiled([target_of(path, asked.precision)], asked, seconds, requests, Pace())[0][0] for path in live
    }
    both = {**saved, **taken}
    return both[a], both[b], None


def _tables(found: "Differences", a: "Profile", b: "Profile", top: int) -> "list[Table | str]":
    from edge_deploy.tables import headline
    from edge_toolkit.comparing import sentence
    from edge_toolkit.console import table

    first, second = (a.target, b.target) if a.target != b.target else ("A", "B")
    lines = [*headline(a), *headline(b), sentence(found.comparison, first, second)]
    lines.append(
        "evidence: both measured in turn, in one run"
        if found.evidence == "one run"
        else "evidence: taken in separate runs, which is weaker: measure both at once where you can"
    )
    lines += [f"not alike: {each}" for each in found.unlike]
    drawn: list[Table | str] = [*lines, "", table(("role", "A us", "B us", "A - B us"), _lines(found.roles))]
    if top and found.rows:
        title = f"{min(top, len(found.rows))} of {len(found.rows)} rows that differ, the largest difference first"
        rows = [(*cells, each.what) for cells, each in zip(_lines(found.rows), found.rows, strict=True)][:top]
        drawn += ["", title, table(("row", "A us", "B us", "A - B us", "what"), rows)]
    return drawn


def _lines(differences: "Sequence[Difference]") -> list[tuple[str, ...]]:
    return [
        (
            each.name,
            "" if each.a_us is None else f"{each.a_us:.1f}",
            "" if each.b_us is None else f"{each.b_us:.1f}",
            f"{each.more_us:+.1f}",
        )
        for each in differences
    ]
