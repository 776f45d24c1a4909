"""Pages that open from a folder: scripts and styles are in the page, and no request is sent.

The content security policy allows each by its hash: nothing else can run or be requested.
"""

import base64
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from patrolplan.atomic import hash_content


def build_security_policy(
    scripts: Sequence[str], styles: Sequence[str], *, images: str = "data:"
) -> str:
    """Content security policy: these scripts and styles by hash, no requests but for `images`."""
    script_src, style_src = (" ".join(map(_hash_source, own)) for own in (scripts, styles))
    return (
        f"default-src 'none'; script-src {script_src}; style-src {style_src}; img-src {images}; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _hash_source(text: str) -> str:
    value = base64.b64encode(bytes.fromhex(hash_content(text))).decode("ascii")
    return f"'sha256-{value}'"


def read_asset(path: Path) -> str:
    """The text of a style or script, with newlines as line ends."""
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def read_script(path: Path) -> str:
    """A script without indentation and lines of comment."""
    return re.sub(r"^[ \t]*(?://.*\n)?", "", read_asset(path), flags=re.MULTILINE)


@lru_cache
def open_templates(folder: Path, **options: Any) -> jinja2.Environment:  # noqa: ANN401 - of jinja2
    """Templates of a folder that escape all values; undefined names are an error."""
    usual: dict[str, Any] = dict.fromkeys(("autoescape", "trim_blocks", "lstrip_blocks"), True)
    usual |= {"loader": jinja2.FileSystemLoader(folder), "undefined": jinja2.StrictUndefined}
    return jinja2.Environment(**usual | options)  # noqa: S701 - it does escape


def load_template(path: Path) -> jinja2.Template:
    """One of them."""
    return open_templates(path.parent).get_template(path.name)


def render_page(
    template: Path,
    scripts: Sequence[str],
    styles: Sequence[str],
    data: object,
    images: str = "data:",
    **values: object,
) -> str:
    """A page with its policy, scripts, styles, data and values; only `images` may be requested."""
    return load_template(template).render(
        policy=build_security_policy(scripts, styles, images=images),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - ours and Leaflet's own
        styles=[Markup(style) for style in styles],  # noqa: S704 - ours and Leaflet's own
        data=Markup(dump_script_json(data)),  # noqa: S704 - escaped for a script element
        **values,
    )


def dump_script_json(value: object) -> str:
    """JSON for a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
