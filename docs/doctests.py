"""A Griffe extension for the API reference: shows the doctests of docstrings as code."""

import re
from typing import Any

import griffe

# A doctest begins with >>> and goes on to the next empty line.
DOCTEST = re.compile(r"^>>> .*?(?=\n\s*\n|\Z)", re.M | re.S)


class Doctests(griffe.Extension):
    """Fences every doctest, so that Markdown does not take its prompts for quotations."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
