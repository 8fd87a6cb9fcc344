"""The page: a profile laid into the template. Needs nothing but the standard library, since the device writes it."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

from edge_toolkit.figures import OTHER_ROLE, ROLE_COLOURS
from edge_toolkit.profile import REST, Profile, profile_to_json
from edge_toolkit.profile_page.words import words_of

SCRIPTS = ("facts", "headline", "timeline", "icicle", "roofline", "comparison", "rows", "start")
"""What the page does, in the order in which it is put together."""

_MARK = re.compile(r"@@(\w+)@@")


def profile_page(profile: Profile) -> str:
    """One HTML file with everything in it: it asks for nothing from outside, and runs no script but its own.

    Args:
        profile: with a baseline, which is then compared, or without.

    Returns:
        The file's text. `profile_to_json` of the profile is in it, in the element `profile`.
    """
    style, script = _read("page.css"), _script()
    parts = {
        "title": _text(f"{profile.name}: where the time goes"),
        "style": style,
        "script": script,
        # By their digests, so that a browser runs these two and nothing that a name might smuggle in.
        "style_digest": _digest(style),
        "script_digest": _digest(script),
        "profile": _data(profile_to_json(profile)),
        "page": _data({**words_of(profile), **_palette()}),
    }
    # In one pass: a mark inside what is filled in stays text.
    return _MARK.sub(lambda mark: parts[mark[1]], _read("page.html"))


def _palette() -> dict[str, Any]:
    return {
        "colours": list(ROLE_COLOURS.items()),  # pairs, since a role may be called anything
        "other_colour": OTHER_ROLE,
        "rest": REST,
    }


def _data(value: Any) -> str:
    """JSON that ends no script element and begins no comment in one, whatever its strings say.

    Source: HTML, "Restrictions for contents of script elements".
    """
    text = json.dumps(value, allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _text(text: str) -> str:
    """Text for an element, in ASCII: a file's name may hold what UTF-8 has no form for."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _script() -> str:
    """All scripts as one that leaves no names behind."""
    return "\n".join(['(() => {\n"use strict";', *(_read(f"{name}.js") for name in SCRIPTS), "})();"])


def _digest(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style. Source: CSP Level 3, `hash-source`."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _read(name: str) -> str:
    return files("edge_toolkit.profile_page").joinpath(name).read_text(encoding="utf-8")
