"""How Sphinx builds these pages; CONTRIBUTING.md has the commands."""

import sys
from pathlib import Path

import pyrelu

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "pyrelu"
author = "the pyrelu developers"
release = version = pyrelu.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "from_the_table",
    "printed",
    "matplotlib.sphinxext.plot_directive",
]
default_role = "code"
exclude_patterns = ["_build", "**sg_execution_times.rst"]

plot_include_source = True
plot_formats = [("png", 110)]
plot_html_show_formats = plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = "pyrelu"
html_static_path = ["_static"]
html_css_files = ["pyrelu.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"**": []}  # few pages: the header names them all
html_theme_options = {
    "header_links_before_dropdown": 12,
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "functions": [], "index": []},
    "show_prev_next": False,
}

myst_heading_anchors = 3
autodoc_docstring_signature = False  # Sphinx 9.0 stumbles over the signature in a ufunc's docstring
autodoc_typehints = "none"  # docstrings have the types, in shorter words
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "from_the_table.CourseOrder",
    "download_all_examples": False,
    "remove_config_comments": True,
    "thumbnail_size": (960, 420),
    "show_memory": False,
    "abort_on_example_error": True,
}
