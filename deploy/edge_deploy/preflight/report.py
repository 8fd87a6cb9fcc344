"""How a preflight is printed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from edge_deploy.origins import SUFFIX
from edge_deploy.preflight.preflight import Finding, Preflight
from edge_deploy.preflight.rules import SEVERITIES, Rules
from edge_toolkit.console import table

NAMED = 3
"""Layers and blocks that a row names; it counts the others."""


def preflight_tables(made: Preflight, rules: Rules) -> list[Table | str]:
    """A row for each thing that is wrong, the sources of the rules, whether the device was asked, and the verdict."""
    several = len(made.networks) > 1
    drawn: list[Table | str] = []
    if made.findings:
        heads = (
            "severity",
            "rule",
            *(["networks"] if several else []),
            "layers",
            "block",
            "problem",
            "what would help",
        )
        drawn += [
            table(heads, [_row(group, several) for group in _groups(made)], f"{made.target} on {rules.target}"),
            "",
        ]
        drawn += [f"{name}: {rules.rules[name].source}" for name in dict.fromkeys(each.rule for each in made.findings)]
        drawn.append("")
    counted = f"{len(made.networks)} networks of {made.operations}" if several else f"{made.operations}"
    drawn.append(f"{counted} operations checked by {len(rules.rules)} rules, from {rules.origin}")
    return [*drawn, made.device, f"{made.target}: {verdict(made)}"]


def preflight_to_json(made: Preflight, rules: Rules) -> dict[str, Any]:
    """Plain data for `json.dumps`."""
    return {**asdict(made), "rules": {"target": rules.target, "origin": rules.origin}, "verdict": verdict(made)}


def verdict(made: Preflight) -> str:
    """`refused`, `fits with k slow layers` or `fits`, and how many layers no list knows."""
    several = len(made.networks) > 1
    if made.refused:
        return f"refused: {len(made.refused)} of {len(made.networks)} networks" if several else "refused"
    slow, unknown = _most(made, made.with_severity("slow")), _most(made, made.with_severity("unknown"))
    up_to, each = ("up to ", " a network") if several else ("", "")
    doubt = f"; unknown of {up_to}{_layers(unknown)}{each}" if unknown else ""
    return (f"fits with {up_to}{slow} slow {'layer' if slow == 1 else 'layers'}{each}" if slow else "fits") + doubt


def _most(made: Preflight, findings: Iterable[Finding]) -> int:
    """How many layers of a network have a finding, of the network that has most."""
    layers = {(finding.network, finding.layer) for finding in findings}
    return max(sum(network == name for network, _ in layers) for name in made.networks)


def _layers(count: int) -> str:
    return f"{count} {'layer' if count == 1 else 'layers'}"


def _groups(made: Preflight) -> list[list[Finding]]:
    """Findings of one rule and one sentence, the worst first, then in order of execution."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in made.findings:
        groups.setdefault((finding.rule, finding.problem), []).append(finding)
    return sorted(groups.values(), key=lambda group: SEVERITIES.index(group[0].severity))


def _row(group: Sequence[Finding], several: bool) -> tuple[str, ...]:
    first = group[0]
    networks = [str(len({finding.network for finding in group}))] if several else []
    layers, blocks = (_first(getattr(finding, name) for finding in group) for name in ("layer", "block"))
    return first.severity, first.rule, *networks, layers, blocks, first.problem, first.remedy


def _first(names: Iterable[str]) -> str:
    distinct = tuple(dict.fromkeys(name.removesuffix(SUFFIX) for name in names))
    more = f" and {len(distinct) - NAMED} more" if len(distinct) > NAMED else ""
    return ", ".join(distinct[:NAMED]) + more
