"""A Sphinx directive that runs Python code when the pages are built and shows the code with what it prints."""

import io
from contextlib import redirect_stdout

from docutils import nodes
from docutils.parsers.rst import Directive


class Printed(Directive):
    """Runs its content, which stands on its own."""

    has_content = True

    def run(self):
        """Return the code and its output as two literal blocks."""
        code = "\n".join(self.content)
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, self.state.document.current_source, "exec"), {})
        source = nodes.literal_block(code, code, language="python")
        output = nodes.literal_block(printed.getvalue(), printed.getvalue().rstrip(), language="text")
        return [source, output]


def setup(app):
    """Register the directive."""
    app.add_directive("printed", Printed)
    return {"parallel_read_safe": True}
