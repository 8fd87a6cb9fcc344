"""What computes, one file a kind: its constants, and how long layers take on it.

Every kind has `options(layers, memory, element_bytes)`, `peak_gmac_s`, `static_mw` and `tiles`, the size of its own
weight store (0 where weights lie in the shared memory). A new kind is a new file, and a line in `Processor`.
"""

from typing import Annotated

from pydantic import Discriminator

from edge_toolkit.processors.calibrated import Calibrated
from edge_toolkit.processors.cim import Cim
from edge_toolkit.processors.option import Option
from edge_toolkit.processors.roofline import Roofline
from edge_toolkit.processors.systolic import Systolic

Processor = Annotated[Roofline | Systolic | Cim | Calibrated, Discriminator("kind")]

__all__ = ["Calibrated", "Cim", "Option", "Processor", "Roofline", "Systolic"]
