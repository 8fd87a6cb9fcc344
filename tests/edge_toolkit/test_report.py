"""The page of a run, read back by an HTML parser; the run is written by hand."""

import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem
from edge_toolkit.budget import Budget
from edge_toolkit.cli import main
from edge_toolkit.data import Normalisation
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.files import write_json, write_text
from edge_toolkit.front import Candidate, Front, write_front
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.measured import Machine, Measured, Measurement, Settings, write_measured
from edge_toolkit.model_folder import Model, Preprocessing, Training, write_model
from edge_toolkit.report import report
from edge_toolkit.runs import RunFolder, existing_run
from edge_toolkit.specs import ModelSpec, digest
from tests.edge_toolkit.profiles_for_tests import profile_json

STAGES = (Stage(8, 2, (MBConv(3, 2), MBConv(5, 1))), Stage(16, 2, (MBConv(3, 2), Attention(8, 2, 2))))
NETWORK = Architecture((1, 16, 16), Stem(8), STAGES, Head(4, 12))
LSTM = LSTMBaseline(NETWORK.input, NETWORK.stem, (9,), NETWORK.head)
HOSTILE = "<script>alert(1)</script>"
ADDRESSES = ("src", "href", "action", "data", "poster", "srcset", "background")
VOID = ("meta", "img", "br", "hr", "link", "input")


class Page(HTMLParser):
    """Tags, addresses and the text of a page; `cells` are the rows of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.tags: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.cells: list[list[str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements close in order"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def row(self, first: str) -> list[str]:
        """The one row of all tables whose first cell is this."""
        (found,) = [row for row in self.cells if row[0] == first]
        return found


def request(run: RunFolder, data: str = "digits") -> None:
    plain = {
        "schema": 1,
        "data": data,
        "fingerprint": "abcdef0123456789",
        "space_name": "image-s",
        "space": {"description": "small pictures"},
        "device": load_device("xr-npu").model_dump(mode="json", by_alias=True),
        "budget": {"latency_ms": 0.05, "energy_mj": 0.25},
        "recipe": {"epochs": 17, "learning_rate": 0.002},
        "sampler": "nsga2",
        "seed": 11,
        "storage": None,
        "trials": 123,
        "jobs": 1,
    }
    write_text(run.request, yaml.safe_dump(plain))


def front_of(architecture: Architecture, run: str) -> Front:
    origin = {"accuracy": "inherited", "latency_ms": "modelled", "energy_mj": "modelled"}
    other = replace(architecture, head=replace(architecture.head, width=20))
    candidates = (
        Candidate(architecture, 0.712, 0.0321, 0.01234, 111_000, 2222, origin),
        Candidate(other, 0.798, 0.0432, 0.02345, 222_000, 3333, origin),
    )
    picks = {"knee": 0, "fastest": 0, "most-accurate": 1, "least-energy": 0}
    return Front(run, "digits", "image-s", "xr-npu", Budget(0.05, 0.25), candidates, picks, 99)


def model(spec: ModelSpec, validation: float, test: float) -> Model:
    preprocessing = Preprocessing("digits", "abcdef", Normalisation((0.0,), (1.0,)), ("a", "b", "c", "d"))
    training = Training("supernet", 5, 3, validation, test, 1.5, ({"loss": 0.5, "validation_accuracy": validation},))
    return Model(spec, {"w": np.zeros(1, np.float32)}, preprocessing, training)


def measured_of(front: Front) -> Measured:
    latencies = (0.0444, 0.0666)
    return Measured(
        Settings("CPU", "Test Processor 9000", "f32", 1, {"openvino": "2026.2.0-test"}),
        Machine("Test Processor 9000", 4, None, 0.25),
        {
            digest(candidate.architecture): Measurement(latency_ms, (latency_ms, latency_ms), latency_ms, 777)
            for candidate, latency_ms in zip(front.candidates, latencies, strict=True)
        },
    )


def manifest(architecture: Architecture) -> dict[str, Any]:
    return {
        "name": "knee",
        "digest": digest(architecture),
        "accuracy": {"validation": 0.8125, "test": 0.8765, "origin": "by hand"},
        "parity": {"samples": 200, "bound": 1e-4, "errors": {"openvino": 3.2e-7}, "right": {"torch": 175}},
        "versions": {"torch": "2.13.0-test"},
    }


def searched(run: RunFolder) -> RunFolder:
    """A run that was searched, and no more."""
    request(run)
    write_front(run.front, front_of(NETWORK, run.name))
    return run


def finished(run: RunFolder) -> RunFolder:
    """A run with everything in it."""
    searched(run)
    write_model(run.model("knee"), model(NETWORK, 0.8125, 0.8765))
    write_model(run.model("knee-lstm"), model(LSTM, 0.6543, 0.6432))
    write_measured(run.measured, measured_of(front_of(NETWORK, run.name)))
    write_json(run.bundle("knee") / "manifest.json", manifest(NETWORK))
    macs = int(layers_of(NETWORK).macs.sum())
    write_json(run.profile("knee"), {**profile_json(), "macs": macs})
    return run


@pytest.fixture
def whole(tmp_path: Path) -> RunFolder:
    """A finished run that a test may change."""
    return finished(RunFolder(tmp_path / "runs" / "glasses"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a finished run."""
    return page_of(finished(RunFolder(tmp_path_factory.mktemp("runs") / "glasses")))


def page_of(run: RunFolder) -> Page:
    path = report(run)
    assert path == run.path / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_needs_nothing_from_outside(page: Page) -> None:
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert page.handlers == []
    assert len(page.addresses) == 2
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    assert [mark for mark in ("http:", "https:", "url(", "@import") if mark in page.source] == []


def test_the_headline_is_the_pick_against_its_lstm(page: Page) -> None:
    text = page.text
    assert "87.6% measured The LSTM beside it: 64.3% (+23.3 points for the pick)" in text
    assert "0.0180 ms measured Faster: 0.232 of the median of knee-lstm, 0.0775 ms" in text
    assert "(95% interval 0.231 to 0.235)" in text
    assert "0.01234 mJ modelled" in text


def test_the_front_shows_modelled_beside_measured(page: Page) -> None:
    assert page.row("0") == [
        "0", "71.2%", "0.0321", "0.01234", "0.0444", "kept", "0.11", "2,222", "knee, fastest, least-energy",
    ]  # fmt: skip
    assert page.row("1")[4:6] == ["0.0666", "broken: 1.33 times"]
    assert page.row("trials")[1:] == ["123", "sampler nsga2, seed 11, jobs 1"]
    assert page.row("budget")[1] == "0.05 ms and 0.25 mJ"


def test_accuracy_and_size_of_both(page: Page) -> None:
    for name, spec, shares in (
        ("knee", NETWORK, ["81.2%", "87.6%"]),
        ("knee-lstm", LSTM, ["65.4%", "64.3%"]),
    ):
        row = page.row(name)
        assert row[5:7] == shares
        assert row[8] == f"{layers_of(spec).parameters.sum():,}"


def test_every_block_of_the_pick_is_told(page: Page) -> None:
    names = ["stem", *(block.name for block in NETWORK.blocks), "head"]
    at = next(index for index, row in enumerate(page.cells) if row[0] == "block")
    rows = page.cells[at + 1 : at + 1 + len(names)]
    assert [row[0] for row in rows] == names
    assert rows[4][1:4] == ["attention, 2 heads of 8, all tokens, MLP x2", "16x2x2", "16x2x2"]
    assert sum(float(row[4]) for row in rows) == pytest.approx(layers_of(NETWORK).macs.sum() / 1e3, abs=0.5)
    assert rows[0][6] == "3.8"  # 3.25 and 0.5 us in the profile


def test_the_profile_stands_by_role_side_by_side(page: Page) -> None:
    assert page.row("conv") == ["conv", "8.8", "35.0%", "3.0", "3.6%"]
    assert page.row("recurrent") == ["recurrent", "", "", "77.0", "92.8%"]
    assert page.row("wall time") == ["wall time", "25.0", "100.0%", "83.0", "100.0%"]
    assert page.row("head.pool/ReduceMean")[3] == "<2"
    assert page.tags.count("details") == 2


def test_how_each_number_was_taken(page: Page) -> None:
    assert page.row("accuracy in the front")[1] == "inherited"
    assert page.row("energy in the front")[1] == "modelled"
    assert "24 of its 27 assumed" in page.row("energy in the front")[2]
    origin, method = page.row("latency")[1:]
    assert origin == "measured"
    assert "median of 4,321 and 4,321 requests" in method
    assert "f32 asked for, f32 read back, 1 threads" in method
    assert "torch 175" in page.row("what ships equals what was trained")[2]
    assert page.row("openvino")[1:] == ["", "2026.2.0-test", "2026.2.0-test"]
    assert page.row("torch")[1] == "2.13.0-test"


def test_a_whole_run_has_nothing_missing_and_nothing_to_warn_of(page: Page) -> None:
    assert "This makes it" not in page.source
    assert 'class="warning"' not in page.source


@pytest.mark.parametrize(
    ("part", "command"),
    [
        ("front.json", "edge-toolkit search ... --out {run}"),
        ("models/knee/architecture.json", "edge-toolkit train {run} --pick knee"),
        ("models/knee-lstm/architecture.json", "edge-toolkit train --baseline lstm --like {run}/models/knee"),
        ("bundles/knee/manifest.json", "edge-toolkit export {run}/models/knee"),
        ("profiles/knee.json", "edge-toolkit profile {run}/bundles/knee --device CPU --baseline lstm"),
        ("measured.json", "edge-toolkit measure {run} --device CPU"),
    ],
)
def test_a_missing_part_names_the_command_that_makes_it(whole: RunFolder, part: str, command: str) -> None:
    expected = command.format(run=whole.path)
    assert expected not in page_of(whole).text
    (whole.path / part).unlink()
    assert expected in page_of(whole).text


def test_a_run_that_was_only_searched_names_all_commands(tmp_path: Path) -> None:
    text = page_of(searched(RunFolder(tmp_path / "glasses"))).text
    for verb in ("train", "train --baseline lstm", "export", "profile", "measure"):
        assert f"edge-toolkit {verb} " in text
    assert "0.0321 ms modelled" in text


def test_names_from_outside_are_text(whole: RunFolder) -> None:
    request(whole, data=HOSTILE)
    made = profile_json(f"bundles/{HOSTILE.replace('/', '-')}")
    made["rows"][0] |= {"name": HOSTILE, "block": HOSTILE, "role": "<img src=x onerror=alert(1)>"}
    made["device_name"] = '"><script>alert(2)</script>'
    whole.path.rename(whole.path.with_name("<script>"))
    whole = RunFolder(whole.path.with_name("<script>"))
    write_json(whole.profile("knee"), made)
    page = page_of(whole)
    assert "script" not in page.tags
    assert page.handlers == []
    assert page.tags.count("img") == 2
    assert "Run <script> The pick: knee" in page.text
    assert page.row("data")[1] == HOSTILE
    assert page.row(HOSTILE)[2] == "<img src=x onerror=alert(1)>"


def test_what_does_not_belong_together_is_told(whole: RunFolder) -> None:
    other = replace(NETWORK, head=replace(NETWORK.head, width=30))
    write_model(whole.model("knee"), model(other, 0.8125, 0.8765))
    text = page_of(whole).text
    assert "models/knee is another network than knee in the front" in text
    assert "bundles/knee was exported from another training" in text
    assert "profiles/knee.json was taken of another network" in text


def test_disturbed_rows_and_another_precision_are_told(whole: RunFolder) -> None:
    made = {**profile_json(), "asked_precision": "f16", "counted_us": 99.0}
    write_json(whole.profile("knee"), made)
    text = page_of(whole).text
    assert "knee: f16 was asked for, and CPU read back f32." in text
    assert "knee: a request took 99.0 us while its rows were timed" in text


def test_the_pick_that_came_furthest_is_the_headline(whole: RunFolder) -> None:
    write_model(whole.model("fastest"), model(NETWORK, 0.5, 0.5))
    assert "The pick: knee" in page_of(whole).text
    whole.profile("knee").rename(whole.profile("fastest"))
    assert "The pick: fastest" in page_of(whole).text


def test_a_broken_profile_is_told_with_its_place(whole: RunFolder) -> None:
    made = profile_json()
    del made["baseline"]["rows"][1]["time_us"]
    write_json(whole.profile("knee"), made)
    with pytest.raises(InputError, match=r"knee\.json: baseline\.rows\[1\]\.time_us: is missing"):
        report(whole)


def test_no_run_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["report", str(tmp_path / "nowhere")])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nowhere: holds no run (run.yaml is missing)" in line


def test_the_command_sums_up_on_standard_output(whole: RunFolder) -> None:
    code = (
        "import sys; from edge_toolkit.cli import main\n"
        f"try:\n    main(['report', {str(whole.path)!r}, '--json', '-'])\n"
        "finally:\n    assert not {'torch', 'openvino', 'optuna', 'onnx'} & set(sys.modules), 'a heavy import'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    assert facts["schema"] == 1
    assert (facts["pick"], facts["verdict"], facts["test_accuracy"]) == ("knee", "faster", 0.8765)
    assert (facts["measured_latency_ms"], facts["baseline_latency_ms"]) == (0.018, 0.0775)
    assert facts["missing"] == {}
    assert str(whole.report) in done.stderr
    assert existing_run(whole.path).report.is_file()
