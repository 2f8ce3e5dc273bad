"""manifest.py OUT SOURCE...: the manifest of the plugin that holds all rows, from their GUIDE_ROW and GUIDE_PART lines.

A row is the function G20, a part of it G20.name.
"""

import pathlib
import re
import sys

ENTRY = re.compile(r"^GUIDE_(ROW|PART)\(\s*(G\d+),\s*(\w+)", re.M)


def main():
    out, *sources = sys.argv[1:]
    entries = [entry for source in sources for entry in ENTRY.findall(pathlib.Path(source).read_text())]
    text = '/* Made by manifest.py. */\n#include "plugin.h"\n\n'
    for _, row, name in entries:
        text += (f"static int job_{row}_{name}(gp_job *job)\n{{\n"
                 f'    return guide_job(job, "{row}", "{name}");\n}}\n\n')
    text += 'GP_PLUGIN("guide_rows", "1.0", {"rows", "lists the rows and how each must end", guide_list}'
    for kind, row, name in entries:
        function = row if kind == "ROW" else f"{row}.{name}"
        text += f',\n          {{"{function}", "{name}", job_{row}_{name}}}'
    pathlib.Path(out).write_text(text + ");\n")


main()
