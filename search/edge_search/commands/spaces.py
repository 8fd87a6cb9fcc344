"""Commands of the workstation: `spaces` and what is below it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_toolkit.options import JsonTo, ModelledDevice

if TYPE_CHECKING:
    from rich.table import Table

    from edge_search.space import SearchSpace
    from edge_toolkit.architecture import Architecture

app = typer.Typer()
spaces_app = typer.Typer(invoke_without_command=True)
app.add_typer(spaces_app, name="spaces")

BOUND = "Tell how many keep this bound on the"
SpaceName = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A space that ships, or the path of a YAML file.")]


@spaces_app.callback()
def spaces(context: typer.Context, json_to: JsonTo = None) -> None:
    """List the search spaces that ship: what they are for, their exact size, and what their networks cost."""
    if context.invoked_subcommand is not None:
        return
    from edge_search.space import load_space, presets
    from edge_toolkit.console import show, table

    facts = [{"name": name, **_facts(load_space(name))} for name in presets()]
    rows = [
        (
            item["name"],
            "x".join(map(str, item["input"])),
            f"{item['size']:.3g}",
            _range(item, "macs", 1e6),
            _range(item, "parameters", 1e3),
            item["description"],
        )
        for item in facts
    ]
    columns = ("space", "input", "networks", "MMACs", "k parameters", "for")
    show([table(columns, rows), "`edge-toolkit spaces show NAME` explains one."], {"spaces": facts}, json_to)


@spaces_app.command("show")
def spaces_show(space: SpaceName, json_to: JsonTo = None) -> None:
    """Explain one space: the choices for each part, its exact size, its smallest and its largest network."""
    from edge_search.space import load_space
    from edge_toolkit.console import show, table

    loaded = load_space(space)
    facts = _facts(loaded)
    extremes = [
        (which, f"{facts[which]['macs'] / 1e6:.2f}", f"{facts[which]['parameters'] / 1e3:.1f}", _sketch(network))
        for which, network in (("smallest", loaded.smallest()), ("largest", loaded.largest()))
    ]
    drawn: list[Table | str] = [
        f"{space}: {loaded.description or 'a search space'}",
        f"{facts['size']:,} distinct networks, a vector of {len(loaded.genes)} genes",
        f"inputs (channels x height x width): {', '.join('x'.join(map(str, shape)) for shape in loaded.inputs)}\n",
        table(("part", *CHOICES), _choice_rows(loaded)),
        "\nEvery stage opens with an mbconv; `blocks` are the kinds behind it. A window of 0 is none.\n",
        table(("network", "MMACs", "k parameters", "input, stem, stages (M mbconv, A attention)"), extremes),
    ]
    show(drawn, {"name": space, **facts, "choices": loaded.model_dump(mode="json")}, json_to)


@spaces_app.command("sample")
def spaces_sample(
    space: SpaceName,
    count: Annotated[int, typer.Option("-n", "--count", help="How many; at most the size of the space.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same architectures.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout.")] = None,
) -> None:
    """Write architectures as JSON, one a line. The draws are independent: each distinct architecture is as likely as
    any other, every time, so that a small space may repeat itself."""
    import json
    import sys

    import numpy as np

    from edge_search.space import load_space
    from edge_toolkit.console import note
    from edge_toolkit.errors import InputError
    from edge_toolkit.files import write_text
    from edge_toolkit.specs import spec_to_json

    loaded = load_space(space)
    if not 1 <= count <= loaded.size():
        raise InputError(f"-n {count} is out of range; use 1 to {loaded.size():,}, the number of networks in {space}")
    if seed < 0:
        raise InputError(f"--seed {seed} is negative; use 0 or more")
    rng = np.random.default_rng(seed)
    lines = "".join(json.dumps(spec_to_json(loaded.sample(rng))) + "\n" for _ in range(count))
    if out is None:
        sys.stdout.write(lines)
        return
    write_text(out, lines)
    note(f"{count} architectures in {out}")


@spaces_app.command("costs")
def spaces_costs(
    space: SpaceName,
    device: ModelledDevice,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many networks to draw.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed draws the same networks.")] = 0,
    latency_ms: Annotated[float | None, typer.Option("--latency-ms", help=f"{BOUND} latency of one inference.")] = None,
    energy_mj: Annotated[float | None, typer.Option("--energy-mj", help=f"{BOUND} energy of one inference.")] = None,
    fps: Annotated[float | None, typer.Option("--fps", help=f"{BOUND} latency as a frame rate: 90 is 11.1 ms.")] = None,
    json_to: JsonTo = None,
) -> None:
    """Cost networks of a space on a device, each under its best mapping: how latency and energy spread, and what share
    keeps a budget. Networks are drawn gene by gene, each choice as likely as any other."""
    import numpy as np

    from edge_search.costs import Costs, estimate_many
    from edge_search.space import load_space
    from edge_toolkit.budget import budget_of
    from edge_toolkit.console import progress, show, table
    from edge_toolkit.device import load_device

    budget, loaded, hardware = budget_of(latency_ms, energy_mj, fps), load_space(space), load_device(device)
    sizes = [len(gene.choices) for gene in loaded.genes]
    encodings = np.random.default_rng(seed).integers(sizes, size=(count, len(sizes)))
    parts, firsts = [], range(0, count, TOGETHER)
    with progress(f"cost, {TOGETHER:,} networks a step", len(firsts)) as advance:
        for first in firsts:
            parts.append(np.array(estimate_many(loaded, encodings[first : first + TOGETHER], hardware)))
            advance()
    costs = dict(zip(Costs._fields, np.concatenate(parts, axis=1), strict=True))
    spread = {name: np.quantile(values, list(QUANTILES.values())).tolist() for name, values in costs.items()}
    inside = {name: costs[name] <= bound for name, bound in budget.bounds.items()}
    inside |= {"both": np.logical_and(*inside.values())} if len(inside) == 2 else {}
    kept = {name: float(which.mean()) for name, which in inside.items()}
    rows = [(name, *(f"{value:.4g}" for value in row)) for name, *row in zip(QUANTILES, *spread.values(), strict=True)]
    drawn: list[Table | str] = [
        f"{count:,} networks of {space} on {hardware.name}, {hardware.origin}\n",
        table(("", *spread), rows),
    ]
    if kept:
        bounds = [*(f"{bound:.4g}" for bound in budget.bounds.values()), ""]
        shares = [(name, bound, f"{share:.2%}") for (name, share), bound in zip(kept.items(), bounds, strict=False)]
        drawn += ["", table(("bound", "at most", "kept by"), shares)]
    payload = {
        "space": space,
        "device": hardware.name,
        "origin": hardware.origin,
        "networks": count,
        "quantiles": {name: dict(zip(QUANTILES, values, strict=True)) for name, values in spread.items()},
        "budget": budget.bounds,
        "kept": kept,
    }
    show(drawn, payload, json_to)


TOGETHER = 1000
"""Networks that `spaces costs` costs between two looks at its progress."""

QUANTILES = {"least": 0, "1 %": 0.01, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "most": 1}
"""What `spaces costs` shows of each cost: the share of networks that cost no more."""

CHOICES = ("blocks", "width", "depth", "stride", "kernel", "expand", "head_dim", "mlp_ratio", "window")
"""What a stage has to choose: fields of `StageChoices`, columns of `spaces show`."""


def _facts(space: "SearchSpace") -> dict[str, Any]:
    return {
        "description": space.description,
        "input": list(space.input),
        "classes": space.classes,
        "size": space.size(),
        "genes": len(space.genes),
        "smallest": _extreme(space.smallest()),
        "largest": _extreme(space.largest()),
    }


def _extreme(architecture: "Architecture") -> dict[str, Any]:
    from edge_toolkit.layers import layers_of
    from edge_toolkit.specs import spec_to_json

    layers = layers_of(architecture)
    return {
        "macs": int(layers.macs.sum()),
        "parameters": int(layers.parameters.sum()),
        "architecture": spec_to_json(architecture),
    }


def _range(facts: dict[str, Any], what: str, unit: float) -> str:
    low, high = (f"{facts[which][what] / unit:.{1 if unit < 1e6 else 2}f}" for which in ("smallest", "largest"))
    return f"{low} to {high}"


def _choice_rows(space: "SearchSpace") -> list[tuple[str, ...]]:
    def row(part: str, **choices: object) -> tuple[str, ...]:
        return (part, *(_spelled(choices.get(name, ())) for name in CHOICES))

    stages = [row(f"stages.{index}", **dict(stage)) for index, stage in enumerate(space.stages)]
    head = [row("head", width=space.head.width)] if space.head.width else []
    return [row("stem", **dict(space.stem)), *stages, *head]


def _spelled(choices: object) -> str:
    return ", ".join(map(str, choices)) if isinstance(choices, tuple) else str(choices)


def _sketch(architecture: "Architecture") -> str:
    stages = " ".join(
        f"{stage.width}:{''.join(block.kind[0].upper() for block in stage.blocks)}" for stage in architecture.stages
    )
    return f"{'x'.join(map(str, architecture.input))} {architecture.stem.width} {stages}"
