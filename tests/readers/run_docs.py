"""Runs the Python examples of a document and holds what they print against what the document says they print.

    python run_docs.py DOCUMENT [--write]

A block ```python is run, the next block ```text is its output; blocks share their variables, as they would for somebody
who follows the document from top to bottom. The working folder holds `prosopon-home`. Exit 77: a reader is missing.
"""

import contextlib
import io
import pathlib
import re
import sys

try:
    import duckdb  # noqa: F401
    import polars  # noqa: F401
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)

BLOCK = re.compile(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```\n", re.M | re.S)


def main() -> int:
    path = pathlib.Path(sys.argv[1])
    document = path.read_text(encoding="utf-8")
    names: dict = {}
    failed = 0

    def run(match: re.Match) -> str:
        nonlocal failed
        code, expected = match.groups()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(path), "exec"), names)
        said = "".join(line.rstrip() + "\n" for line in printed.getvalue().rstrip().splitlines())
        if said != expected:
            failed += 1
            if "--write" not in sys.argv:
                print(f"--- {path.name}: this example\n{code}--- prints\n{said}--- and the document says\n{expected}")
        return f"```python\n{code}```\n\n```text\n{said}```\n"

    written, n = BLOCK.subn(run, document)
    if n == 0:
        print(f"{path}: no example")
        return 1
    if "--write" in sys.argv:
        path.write_text(written, encoding="utf-8")
        return 0
    print(f"{n} examples, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
