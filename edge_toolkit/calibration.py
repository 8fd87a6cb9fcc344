"""`Calibration`: what a calibrated device was measured on, and how well it predicts."""

from typing import Annotated

from pydantic import Field

from edge_toolkit.constants import Closed
from edge_toolkit.machine import installed_openvino, this_machine

Share = Annotated[float, Field(ge=0, le=1)]
Error = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class HeldOut(Closed):
    """Errors of networks that the fit had not seen: each one was predicted from all others.

    The networks were chosen to differ from each other, so these are not quite the errors of networks as the space draws
    them; docs/benchmarks.md has both.
    `mape` is the mean of |predicted / measured - 1|, with its 95 % interval over the networks; `within_5_percent` and
    `within_10_percent` are shares of the networks.
    """

    mape: Error
    mape_interval: tuple[Error, Error]
    within_5_percent: Share
    within_10_percent: Share


class Repeatability(Closed):
    """How far two halves of the same networks' measurements, taken in turn, are apart: no prediction can be better.

    `mean` and `p95` are of |one half / the other - 1| over the networks.
    """

    mean: Error
    p95: Error


class Calibration(Closed):
    """Where, when and on what a device was calibrated; its precision is the device's.

    `cpu`, `cores` and `governor` are the machine's fingerprint, `load_average` what it had to do beside. `networks` of
    `space` were measured, the fastest and the slowest of them in `latency_ms`.
    """

    date: str
    cpu: str
    cores: int
    governor: str | None = None
    load_average: float | None = None
    openvino: str
    device: str
    device_name: str
    threads: int
    space: str
    networks: Annotated[int, Field(ge=1)]
    latency_ms: tuple[float, float]
    held_out: HeldOut
    repeatability: Repeatability

    def differences(self) -> tuple[str, ...]:
        """How the machine at hand is another one than it was calibrated on; empty where it is the same."""
        here = this_machine()
        found = {
            "cpu": (self.cpu, here.cpu),
            "cores": (self.cores, here.cores),
            "governor": (self.governor, here.governor),
            "openvino": (self.openvino, installed_openvino()),
        }
        return tuple(f"{name} was {then}, here {now}" for name, (then, now) in found.items() if then != now)

    def lines(self) -> tuple[str, str]:
        """What was measured where, and how well that predicts, for a reader."""
        low, high = self.latency_ms
        found, (least, most) = self.held_out, self.held_out.mape_interval
        return (
            f"measured on {self.date}: {self.networks} networks of {self.space}, {low:.4f} to {high:.4f} ms, on "
            f"{self.device} {self.device_name}, threads {self.threads}, OpenVINO {self.openvino}",
            f"each predicted from the others: mean error {found.mape:.2%} (95 % {least:.2%} to {most:.2%}), "
            f"{found.within_5_percent:.0%} within 5 %, {found.within_10_percent:.0%} within 10 %; measured again: "
            f"{self.repeatability.mean:.2%} apart",
        )
