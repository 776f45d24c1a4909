"""How the documentation is built: `python -m sphinx -W -b html docs site`."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "patrolplan"
author = "The patrolplan team"
version = release = metadata.version("patrolplan")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "elsewhere",
    "notebook_pages",
    "reference_pages",
]
exclude_patterns = ["_ext", "images/README.md"]
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Every notebook runs at every build, and an error in one is an error of the build.
# `-D nb_execution_mode=off` shows them without output, in a tenth of the time.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
# What `elsewhere.toml` does not name, and kinds that stand for any.
nitpick_ignore_regex = [
    ("py:.*", r"(_thread|concurrent\.futures|numpy|scipy)\..*"),
    ("py:class", r"shapely\.geometry\.base\.BaseGeometry"),
    ("py:obj", r".*\.(Answer|Result)"),
]
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "patrolplan"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = []

copybutton_prompt_text = "$ "
