"""The energy of an inference: measured where a counter can be read, else modelled, and never one for the other."""

from math import ceil

from edge_deploy.energy import measure_energy
from edge_deploy.model_layers import layers_in
from edge_deploy.rapl import CounterError, Zone
from edge_deploy.runtime import Compiled
from edge_toolkit.console import note
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.energy import Energy, ModelledEnergy
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import ModelSpec

BLOCK_S = 0.1
"""Length of the blocks that counters are read between."""

MODELS = {"CPU": "cpu-host", "3720": "npu-3720", "4000": "npu-4000"}
"""The device file that models an OpenVINO device, by its name, or by its architecture where it tells one."""


def energy_of_inference(
    ready: Compiled, spec: ModelSpec | None, request_ms: float, seconds: float, zones: tuple[Zone, ...]
) -> Energy | ModelledEnergy | None:
    """What an inference takes on this machine.

    Args:
        ready: the model, warmed up.
        spec: the network that it was exported from, where that is known.
        request_ms: how long a request takes.
        seconds: of load, besides as many of pauses, where energy is measured.
        zones: the counters; none where none can be read.

    Returns:
        None where there is neither a counter nor a model of the device in its precision, or a counter failed on the
        way, which is told.
    """
    if not zones:
        return _modelled(ready, spec)
    if any(each.startswith("GPU") for each in ready.runs_on):  # whose card may have a supply of its own
        note("energy is not measured: the counters are the package's, and a GPU may lie outside it")
        return None
    block = max(1, ceil(1000 * BLOCK_S / max(request_ms, 1e-3)))

    def run_block() -> int:
        for _ in range(block):
            ready.infer()
        return block

    try:
        return measure_energy(run_block, seconds, zones)
    except (CounterError, InputError) as error:  # the rest of the profile stands
        note(f"energy is not measured: {error}")
        return None


def _modelled(ready: Compiled, spec: ModelSpec | None) -> ModelledEnergy | None:
    name = MODELS.get(ready.architecture) or MODELS.get(ready.runs_on[0])
    if name is None or len(ready.runs_on) > 1:
        return None
    device = load_device(name)
    if device.precision != ready.precision:
        return None
    try:
        layers = layers_in(ready.model.clone()).table if spec is None else layers_of(spec)
        cost = estimate(layers, device)
    except (InputError, AnswerIsNo):  # shapes that only a run tells, or a layer that the model has no place for
        return None
    constants = [value for _, value in device.constants()]
    return ModelledEnergy(cost.energy_mj, device.name, sum(value.assumed for value in constants), len(constants))
