"""The pages against the commands: the reference is current, and every command line in a page can be parsed."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from edge_toolkit.cli import build_app

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "Makefile", "docs/how-to.md")

sys.path.insert(0, str(ROOT / "docs"))
from make_reference import PAGE, reference  # noqa: E402 - the folder of the pages is no package
from make_schemas import FILES, FOLDER, schema  # noqa: E402 - the same


def command_lines() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"^\s*\$? ?edge-toolkit (.+)$", text, flags=re.MULTILINE):
            yield page, shlex.split(line.replace("$(RUN)", "runs/demo"), comments=True)


def parsed(words: list[str]) -> None:
    """See that the words are a command with options that it has; nothing is run."""
    command: Any = typer.main.get_command(build_app())
    path = ["edge-toolkit"]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, path = command.commands[words[0]], [*path, words[0]]
        words = words[1:]
    assert len(path) > 1, f"no such command: {words}"
    command.make_context(" ".join(path), list(words))


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `python docs/make_reference.py`"


@pytest.mark.parametrize("name", FILES)
def test_the_published_schemas_are_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == schema(name), "run `python docs/make_schemas.py`"


@pytest.mark.parametrize(
    ("page", "words"), list(command_lines()), ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_every_command_line_in_a_page_is_one(page: str, words: list[str]) -> None:
    parsed(words)


def test_the_pages_have_command_lines() -> None:
    assert {page for page, _ in command_lines()} == set(PAGES)


@pytest.mark.parametrize("words", [["search", "--no-such-option"], ["no-such-command"]])
def test_a_wrong_line_would_be_seen(words: list[str]) -> None:
    with pytest.raises(BaseException, match=r"no such command|No such option"):
        parsed(words)


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
