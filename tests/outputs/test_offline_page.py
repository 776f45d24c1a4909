"""What pages that open from a folder share: their policy, their scripts and their data."""

import base64
import hashlib
import json

from patrolplan.outputs.offline_page import build_security_policy, dump_script_json, read_script


def test_policy_allows_the_given_scripts_and_nothing_else():
    """Each script and style is named by its hash; requests, frames and forms are refused."""
    policy = dict(
        directive.split(" ", 1)
        for directive in build_security_policy(["let a = 1;"], ["p { margin: 0 }"]).split("; ")
    )
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["style-src"].startswith("'sha256-")
    assert policy["default-src"] == policy["connect-src"] == policy["form-action"] == "'none'"
    assert policy["img-src"] == "data:"


def test_data_cannot_end_its_script_element():
    """Any data is read back unchanged, and has no characters of markup in the page."""
    value = {"name": "</script><!-- & \u2028 <script>"}
    text = dump_script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028") & set(text)


def test_scripts_lose_comments_and_indentation_alone(tmp_path):
    """Lines of comment and indentation go; what follows code on its line stays."""
    file = tmp_path / "a.js"
    file.write_bytes(b"// about\r\nconst a = {\r\n  b: 1, // one\r\n};\r\n")
    assert read_script(file) == "const a = {\nb: 1, // one\n};\n"
