"""The page of a profile, read back by an HTML parser; what it does in a browser is in the test beside this one."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge_toolkit.conditions import Conditions, State
from edge_toolkit.figures import OTHER_ROLE, ROLE_COLOURS
from edge_toolkit.profile import Profile, Setting, Startup, Throughput, profile_to_json
from edge_toolkit.profile_page import page, profile_page
from tests.edge_toolkit.profiles_for_tests import profile_of

FOLDER = Path(page.__file__).parent
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "<!-- <script>alert(2)</script>",
    "--></ScRiPt ><svg onload=alert(3)>",
    "@@script@@ @@profile@@",
    "'\"&lt;\u2028\u2029\\u003c\x00 \ud800",
)


class Read(HTMLParser):
    """Tags, attributes, and what stands in each style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.inside: dict[str, str] = {}
        self.at = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))
        self.at = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self.at = ""

    def handle_data(self, data: str) -> None:
        self.inside[self.at] = self.inside.get(self.at, "") + data

    @property
    def policy(self) -> dict[str, list[str]]:
        """The Content-Security-Policy, by directive."""
        (text,) = [dict(attrs)["content"] or "" for tag, attrs in self.tags if ("http-equiv", POLICY) in attrs]
        return {words[0]: words[1:] for words in (part.split() for part in text.split(";"))}


POLICY = "Content-Security-Policy"


def hostile_profile(name: str) -> Profile:
    """A profile in which everything that a user or a file may name is called this."""
    made = profile_of()
    rows = tuple(
        replace(row, name=name, role=name, block=name, kind=name, kernel=name, precision=name, originals=(name,))
        for row in made.rows
    )
    setting = replace(made.inputs[0], name=name)
    return replace(
        made,
        target=name,
        device=name,
        device_name=name,
        precision=name,
        rows=rows,
        inputs=(setting,),
        versions={name: name},
    )


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_whole_profile_is_in_the_page() -> None:
    read = Read(profile_page(profile_of()))
    assert json.loads(read.inside["profile"]) == json.loads(json.dumps(profile_to_json(profile_of())))
    beside = json.loads(read.inside["page"])
    assert beside["names"] == ["knee", "knee-lstm"]
    assert dict(beside["colours"]) == ROLE_COLOURS
    assert beside["other_colour"] == OTHER_ROLE


def test_nothing_is_loaded_from_outside() -> None:
    text = profile_page(profile_of())
    read = Read(text)
    marks = ("http:", "https:", "//www", "url(", "@import", "fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval(")
    assert [mark for mark in marks if mark in text] == []
    assert not {"link", "iframe", "object", "base", "form", "img"} & {tag for tag, _ in read.tags}
    addresses = {"src", "href", "action", "data", "poster", "srcset", "background", "style"}
    assert [name for _, attrs in read.tags for name, _ in attrs if name in addresses or name.startswith("on")] == []


def test_a_browser_runs_this_script_and_no_other() -> None:
    read = Read(profile_page(profile_of()))
    assert read.policy == {
        "default-src": ["'none'"],
        "style-src": [digest(read.inside["style"])],
        "script-src": [digest(read.inside["script"])],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_data(name: str) -> None:
    made = hostile_profile(name)
    text = profile_page(made)
    read, plain = Read(text), Read(profile_page(profile_of()))
    assert read.tags == plain.tags
    assert read.inside["script"] == plain.inside["script"]
    assert json.loads(read.inside["profile"]) == json.loads(json.dumps(profile_to_json(made)))
    # Browsers end a script at `</script` and a blank, too, which Python's parser does not.
    assert not {"<", ">", "&"} & set(read.inside["profile"] + read.inside["page"])
    assert text.encode()  # a file's name may hold what UTF-8 has no form for


def test_scripts_put_no_text_into_markup() -> None:
    for path in FOLDER.glob("*.js"):
        found = re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|new Function", path.read_text())
        assert found == [], path.name
    assert {path.stem for path in FOLDER.glob("*.js")} == set(page.SCRIPTS)


def test_a_number_that_is_none_is_refused() -> None:
    made = profile_of()
    with pytest.raises(ValueError, match="not JSON compliant"):
        profile_page(replace(made, wall_us=float("nan")))


def test_the_device_writes_it_without_the_workstation() -> None:
    script = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('jinja2', 'matplotlib', 'torch', 'openvino')))\n"
        "from tests.edge_toolkit.profiles_for_tests import profile_of\n"
        "from edge_toolkit.profile_page import profile_page\n"
        "print(profile_page(profile_of()).count('</script>'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


def luminance(hex_colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes() -> list[dict[str, str]]:
    """The colours of the light and of the dark page, by name."""
    style = (FOLDER / "page.css").read_text()
    return [
        dict(re.findall(r"--([\w-]+): (#\w{6})", part))
        for part in re.findall(r"^:root[^{]*{(.*?)}", style, re.M | re.S)
    ]


@pytest.mark.parametrize("colours", themes(), ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(colours: dict[str, str]) -> None:
    grounds = ("ground", "card", "block", "marked", "warn", "good")
    for ink, on in [(ink, on) for ink in ("ink", "soft") for on in grounds if (ink, on) != ("soft", "marked")]:
        assert contrast(colours[ink], colours[on]) >= 4.5, (ink, on)
    assert contrast(colours["accent"], colours["ground"]) >= 3  # what has the focus


@pytest.mark.parametrize("colour", [*ROLE_COLOURS.values(), OTHER_ROLE])
def test_names_can_be_read_on_the_colours_of_roles(colour: str) -> None:
    assert max(contrast(colour, "#000000"), contrast(colour, "#ffffff")) >= 4.5


def test_both_themes_have_the_same_names() -> None:
    light, dark = themes()
    assert light.keys() == dark.keys()


def test_what_was_not_taken_is_said_and_what_was_is_shown() -> None:
    made = profile_of()
    bare = json.loads(Read(profile_page(made)).inside["page"])
    assert {line[0]: line[1:] for line in bare["latency"]}["max"] == ["n/a", "n/a"]
    assert {"p90", "requests", "device"} <= {tile["label"] for tile in bare["tiles"]}
    assert "machine" not in {tile["label"] for tile in bare["tiles"]}
    state = State(0.5, 2000.0, None)
    full = replace(
        made,
        latency_ms=replace(made.latency_ms, max=0.5),
        settings=(Setting("threads", "2", "1"), Setting("hint", "", "latency")),
        startup=Startup(12.25, 0.75),
        throughput=Throughput(4, 1234.5, 99),
        conditions=Conditions(state, state, 1.0, others=0.25, stolen=None, drift=0.0),
    )
    page = json.loads(Read(profile_page(full)).inside["page"])
    tiles = {tile["label"]: (tile["value"], tile["text"]) for tile in page["tiles"]}
    assert tiles["max"][0] == "0.5000 ms"
    assert tiles["4 requests at once"] == ("1,234.5 a second", "99 requests")
    assert tiles["machine"] == ("not quiet", "other programs took 25% of the cores")
    assert ["compiling, once", "12.2 ms", "n/a"] in page["latency"]
    assert page["settings"] == [["threads", "2", "1", True], ["hint", "", "latency", False]]
    assert any("threads: 2 was asked for, and CPU reports 1" in doubt for doubt in page["doubts"])
    assert page["verdict"]["text"].startswith(": takes 0.232 times as long as knee-lstm (95% interval 0.231 to 0.235)")
