"""Expands a JSON-LD export with pyld, without any network: expand_jsonld.py FILE

Exit codes: 0 accepted, 1 something was dropped or is no absolute IRI, 77 pyld is not installed.
"""

import json
import sys
from collections import Counter

try:
    from pyld import jsonld
except ImportError:
    print("pyld is not installed")
    sys.exit(77)


def refuse(url, options=None):
    raise RuntimeError(f"a processor asked for {url}: the context must be inline")


def properties(node, found):
    """Counts properties of all nodes; keywords are not counted."""
    if isinstance(node, list):
        for item in node:
            properties(item, found)
    elif isinstance(node, dict):
        for key, value in node.items():
            if not key.startswith("@"):
                found[key] += 1
            if key != "@context":
                properties(value, found)


def iris(node, found):
    """Every property, type and node id of expanded JSON-LD."""
    if isinstance(node, list):
        for item in node:
            iris(item, found)
    elif isinstance(node, dict):
        for key, value in node.items():
            if not key.startswith("@"):
                found.add(key)
            elif key in ("@type", "@id"):
                found.update([value] if isinstance(value, str) else value)
            iris(value, found)


def main(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    expanded = jsonld.expand(document, {"documentLoader": refuse})
    before, after = Counter(), Counter()
    properties(document, before)
    properties(expanded, after)
    failures = []
    if sum(before.values()) != sum(after.values()) or not after:
        failures.append(f"{sum(before.values())} properties before, {sum(after.values())} after expansion")
    found = set()
    iris(expanded, found)
    for iri in sorted(found):
        if not iri.startswith(("http://", "https://", "urn:prosopon:")):
            failures.append(f"no absolute IRI: {iri}")
    quads = jsonld.to_rdf(document, {"documentLoader": refuse, "format": "application/n-quads"})
    if quads.count("\n") < sum(after.values()):
        failures.append("fewer statements than properties")
    for failure in failures:
        print(f"FAIL {failure}")
    if not failures:
        print(f"{len(expanded)} receipts, {sum(after.values())} properties, {quads.count(chr(10))} statements")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
