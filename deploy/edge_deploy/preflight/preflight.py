"""What a target would refuse of a model, or run slowly, by its rules and by the device itself where that is here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from edge_deploy.model_file import gist
from edge_deploy.origins import guessed_block, origins_of
from edge_deploy.preflight.checks import CHECKS, Trip, listed
from edge_deploy.preflight.graph import Graph
from edge_deploy.preflight.networks import Network
from edge_deploy.preflight.rules import SEVERITIES, Rules, Severity, load_rules
from edge_toolkit.specs import ModelSpec

DEVICE_SAYS = "device-says"
"""The rule that the device checks, not the model alone."""

PORTS = ("Constant", "Parameter", "Result")
"""Operations that a device is not asked about."""


@dataclass(frozen=True)
class Finding:
    """A rule that a layer breaks: what is wrong, what would help, and where that stands.

    `layer` is the operation's friendly name, `block` its place in the network, `network` tells networks of one target
    apart (empty where there is one).
    """

    rule: str
    severity: Severity
    layer: str
    block: str
    problem: str
    remedy: str
    source: str
    network: str = ""


@dataclass(frozen=True)
class Preflight:
    """All findings of a target, those of each network in order of severity, then of execution.

    `operations` counts what the networks run; `device` says whether the device itself was asked.
    """

    target: str
    networks: tuple[str, ...]
    operations: int
    findings: tuple[Finding, ...]
    device: str

    def with_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def refused(self) -> tuple[str, ...]:
        """The networks that would be refused."""
        return tuple(dict.fromkeys(finding.network for finding in self.with_severity("refused")))


class Core(Protocol):
    """The part of `openvino.Core` that knows devices."""

    available_devices: list[str]

    def query_model(self, model: Any, device_name: str) -> Mapping[str, str]: ...


def preflight_model(model: Any, spec: ModelSpec | None = None, target: str = "npu") -> tuple[Finding, ...]:
    """What a target would refuse of a model or run slowly.

    Args:
        model: an `openvino.Model`, its shapes static or not.
        spec: the network that it was exported from, for the blocks; None: they are guessed from the names.
        target: a target that ships, see `edge_deploy.preflight.rules.targets`.

    Returns:
        The findings, the worst first, then in order of execution.

    Raises:
        InputError: there are no rules for the target.
    """
    return preflight("", [Network("", model, spec)], load_rules(target)).findings


def preflight(what: str, networks: Iterable[Network], rules: Rules, core: Core | None = None) -> Preflight:
    """Check each network by the rules, and ask the device where OpenVINO has it.

    Args:
        what: the networks, as the user named them.
        networks: at least one.
        rules: of what they shall run on.
        core: what knows the devices, OpenVINO's own by default.
    """
    import openvino as ov

    core = core or ov.Core()
    names, findings, operations, remarks = [], list[Finding](), 0, []
    for network in networks:
        graph = Graph(network.model)
        answers, remark = _asked(graph, rules.device, core)
        found = _findings(graph, network.spec, rules, chain(_tripped(graph, rules), answers))
        findings += (replace(finding, network=network.name) for finding in found)
        names.append(network.name)
        operations += sum(op.get_type_name() not in PORTS for op in graph.executed)
        remarks.append(remark)
    return Preflight(what, tuple(names), operations, tuple(findings), "; ".join(dict.fromkeys(remarks)))


def _tripped(graph: Graph, rules: Rules) -> Iterator[tuple[str, Trip]]:
    for name, rule in rules.rules.items():
        for trip in CHECKS.get(name, listed)(graph, rule):
            yield name, trip


def _asked(graph: Graph, device: str, core: Core) -> tuple[list[tuple[str, Trip]], str]:
    """What the device does not take, and a line about whether it was asked.

    A compiler that OpenVINO brings answers without a device. Where neither is here, `query_model` raises; it does, too,
    where a driver cannot answer, which says nothing about the model.
    """
    here = core.available_devices
    try:
        taken = core.query_model(graph.model, device)
    except RuntimeError as error:
        if any(name.partition(".")[0] == device for name in here):
            return [], f"{device} itself was asked, and gave no answer ({gist(error)})"
        return [], (
            f"{device} itself was not asked: OpenVINO sees {', '.join(here)} on this machine, and brings no compiler "
            f"for {device} that could answer"
        )
    trips: list[tuple[str, Trip]] = []
    for op in graph.executed:
        if op.get_type_name() not in PORTS and op.get_friendly_name() not in taken:
            trips.append((DEVICE_SAYS, (op, {"kind": op.get_type_name()})))
    return trips, f"{device} itself was asked, too"


def _findings(graph: Graph, spec: ModelSpec | None, rules: Rules, tripped: Iterable[tuple[str, Trip]]) -> list[Finding]:
    place = {op.get_friendly_name(): index for index, op in reversed(list(enumerate(graph.ordered)))}
    origins = {} if spec is None else origins_of(graph.model, spec)
    findings = []
    for name, (op, values) in tripped:
        rule, layer = rules.rules[name], str(op.get_friendly_name())
        block = origins[layer].block if layer in origins else guessed_block(op)
        text = rule.problem.format(**values), rule.remedy.format(**values)
        findings.append(Finding(name, rule.severity, layer, block, *text, rule.source))
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), place[finding.layer]))
