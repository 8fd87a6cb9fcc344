"""What `calibrate` prints: how well the predictor does on networks that it has not seen, and what limits it."""

from rich.table import Table

from edge_toolkit.calibration import Calibration
from edge_toolkit.console import table


def calibration_tables(found: Calibration, precision: str) -> list[Table | str]:
    """The errors of a device that was calibrated in a precision."""
    held = found.held_out
    low, high = held.mape_interval
    rows = [
        ("mean error of a network predicted from the others", f"{held.mape:.2%}", f"{low:.2%} to {high:.2%}"),
        ("networks predicted within 5 %", f"{held.within_5_percent:.1%}", ""),
        ("networks predicted within 10 %", f"{held.within_10_percent:.1%}", ""),
        ("the same networks measured again: mean difference", f"{found.repeatability.mean:.2%}", ""),
        ("the same networks measured again: 95 % are within", f"{found.repeatability.p95:.2%}", ""),
    ]
    return [_title(found, precision), table(("what", "share", "95 % interval"), rows)]


def _title(found: Calibration, precision: str) -> str:
    fastest, slowest = found.latency_ms
    return (
        f"{found.device} {found.device_name}, {precision}, threads {found.threads}, OpenVINO {found.openvino}: "
        f"{found.networks} networks of {found.space}, {fastest:.4f} to {slowest:.4f} ms"
    )
