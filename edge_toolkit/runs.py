"""`RunFolder`: where everything of a run lies on disk. Only paths; each file's reader is its own module."""

from dataclasses import dataclass
from pathlib import Path

from edge_toolkit.errors import InputError


@dataclass(frozen=True)
class RunFolder:
    """`runs/NAME`."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name, its folder's."""
        return self.path.resolve().name

    @property
    def request(self) -> Path:
        """The whole request, resolved (`run.yaml`)."""
        return self.path / "run.yaml"

    @property
    def journal(self) -> Path:
        """Optuna's journal, unless the run has another storage."""
        return self.path / "study.journal"

    @property
    def supernet(self) -> Path:
        """The shared weights."""
        return self.path / "supernet.safetensors"

    @property
    def front(self) -> Path:
        """The front (`edge_toolkit.front.Front`)."""
        return self.path / "front.json"

    @property
    def measured(self) -> Path:
        """What `measure` saw of the front on a real device."""
        return self.path / "measured.json"

    @property
    def report(self) -> Path:
        """The page that `report` writes."""
        return self.path / "report.html"

    def model(self, pick: str) -> Path:
        """The model folder of a pick."""
        return self.path / "models" / pick

    def bundle(self, pick: str) -> Path:
        """The bundle of a pick."""
        return self.path / "bundles" / pick

    def profile(self, pick: str) -> Path:
        """The newest profile of a pick's bundle, of those with a baseline if there is one."""
        return self.path / "profiles" / f"{pick}.json"


def existing_run(path: Path) -> RunFolder:
    """The run in a folder.

    Raises:
        InputError: there is no run in it.
    """
    run = RunFolder(path)
    if not run.request.is_file():
        raise InputError(
            f"{path}: holds no run ({run.request.name} is missing); `edge-toolkit search ... --out {path}` makes one"
        )
    return run
