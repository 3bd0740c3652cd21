"""Reads every table of a home's current snapshot with DuckDB, pyarrow and Polars, and judges it.

    read_tables.py HOME PIPELINE

Prints one line per check. Exit code 0: all passed; 1: a check failed; 77: a reader is not installed.
Invariant: nothing is taken from prosopon but the files; what must hold is written down here again.
"""

import pathlib
import sys

TABLES = [
    "personas", "evidence", "accounts", "buying_centers", "decisions", "documents", "dead_letters", "runs",
]
ADVISORY = b"advisory, not for automated decisions"

# Nested columns and the fields of their structs (empty: a list of strings).
NESTED = {
    "personas": {
        "secondary_functions": [],
        "buying_roles": ["role", "probability", "status"],
        "traits": ["trait", "score", "confidence", "status", "n_evidence"],
        "goals": ["name", "value", "status"],
        "motives": ["motive", "confidence", "status"],
        "channels": ["phase", "channel", "status"],
        "context": ["name", "value", "status"],
        "requirements": ["name", "value", "status"],
        "empathy_map": ["name", "value", "status"],
        "basis": [],
    },
    "buying_centers": {"members": ["subject_id", "probability"]},
    "decisions": {"reasons": []},
    "runs": {"stages": ["stage", "seconds"]},
}

# A name and a query that counts what must not be.
JOINS = [
    ("persona rows without an Emit permit", """
        SELECT count(*) FROM personas p WHERE NOT EXISTS (
            SELECT 1 FROM decisions d WHERE d.permit_id = p.permit_id AND d.outcome = 'permit'
              AND d.operation = 'emit' AND d.subject_id = p.subject_id)"""),
    ("evidence without a permit", """
        SELECT count(*) FROM evidence e WHERE NOT EXISTS (
            SELECT 1 FROM decisions d WHERE d.permit_id = e.permit_id AND d.outcome = 'permit')"""),
    ("evidence whose permit is about somebody else", """
        SELECT count(*) FROM evidence e JOIN decisions d USING (permit_id)
        WHERE d.target_kind = 'subject' AND e.subject_id IS NOT NULL AND d.subject_id <> e.subject_id"""),
    ("evidence with a document that is not there", """
        SELECT count(*) FROM evidence e LEFT JOIN documents d USING (document_id)
        WHERE e.document_id IS NOT NULL AND d.document_id IS NULL"""),
    ("evidence of a source other than the CRM without a document", """
        SELECT count(*) FROM evidence WHERE source_class <> 'crm' AND document_id IS NULL"""),
    ("documents without a permit", """
        SELECT count(*) FROM documents x WHERE NOT EXISTS (
            SELECT 1 FROM decisions d WHERE d.permit_id = x.permit_id AND d.outcome = 'permit')"""),
    ("used Fetch permits without a document", """
        SELECT count(*) FROM decisions d
        WHERE d.outcome = 'permit' AND d.operation = 'collect' AND d.source_id <> 'crm'
          AND NOT EXISTS (SELECT 1 FROM documents x WHERE x.permit_id = d.permit_id)"""),
    ("permits with more than one document", """
        SELECT count(*) FROM (SELECT permit_id FROM documents GROUP BY permit_id HAVING count(*) > 1)"""),
    ("refusals with a permit, or permits without one", """
        SELECT count(*) FROM decisions WHERE (outcome = 'permit') <> (permit_id IS NOT NULL)"""),
    ("contacts with two persona rows", """
        SELECT count(*) FROM (SELECT subject_id FROM personas GROUP BY subject_id HAVING count(*) > 1)"""),
    ("members of a buying center without a persona row", """
        SELECT count(*) FROM (SELECT unnest(members).subject_id AS subject_id FROM buying_centers)
        WHERE subject_id NOT IN (SELECT subject_id FROM personas)"""),
    ("persona rows of a company that is not in accounts", """
        SELECT count(*) FROM personas WHERE account_id IS NOT NULL
          AND account_id NOT IN (SELECT account_id FROM accounts)"""),
    ("facets with a value and no probability", """
        SELECT count(*) FROM personas WHERE (job_function IS NOT NULL AND job_function_probability IS NULL)
           OR (seniority IS NOT NULL AND seniority_probability IS NULL)"""),
]

failures = 0


def check(name, ok, detail=""):
    """Prints one line and counts a failure."""
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + str(detail) if detail != '' else ''}")
    return ok


def readers():
    """The three readers, or exit 77 with the reason."""
    try:
        import duckdb
        import polars
        import pyarrow.parquet
    except ImportError as e:
        print(f"missing Python package: {e.name} (pip install duckdb polars pyarrow)")
        sys.exit(77)
    print(f"     DuckDB {duckdb.__version__}, Polars {polars.__version__}, pyarrow {pyarrow.__version__}")
    return duckdb, polars, pyarrow


def plain(arrow_type, pa):
    """An Arrow type as one word that all three readers share."""
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type):
        return f"list<{plain(arrow_type.value_type, pa)}>"
    if pa.types.is_struct(arrow_type):
        fields = [arrow_type.field(i) for i in range(arrow_type.num_fields)]
        return "struct<" + ",".join(f"{f.name}:{plain(f.type, pa)}" for f in fields) + ">"
    if pa.types.is_timestamp(arrow_type):
        return f"timestamp[{arrow_type.unit}]{'z' if arrow_type.tz else ''}"
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or arrow_type == pa.string_view():
        return "string"
    return str(arrow_type)


def read(files, duckdb, polars, pa):
    """The table through each reader, as (pyarrow table, {reader: (rows, {column: plain type})})."""
    paths = [str(f) for f in files]
    # The path holds `snapshot=...`; readers that guess a Hive partition would add that as a column.
    table = pa.concat_tables([pa.parquet.read_table(p, partitioning=None) for p in paths])
    frame = polars.read_parquet(paths, hive_partitioning=False)
    duck = duckdb.read_parquet(paths, hive_partitioning=False).to_arrow_table()
    shape = {}
    for name, seen in (("pyarrow", table), ("Polars", frame.to_arrow()), ("DuckDB", duck)):
        shape[name] = (seen.num_rows, {f.name: plain(f.type, pa) for f in seen.schema})
    return table, frame, shape


def check_table(name, files, modules):
    """One table through every reader."""
    duckdb, polars, pa = modules
    table, frame, shape = read(files, duckdb, polars, pa)
    rows = {reader: n for reader, (n, _) in shape.items()}
    check(f"{name}: every reader sees the same number of rows", len(set(rows.values())) == 1, rows)
    columns = shape["pyarrow"][1]
    odd = {r: {c: t for c, t in types.items() if columns.get(c) != t} for r, (_, types) in shape.items()}
    same = all(list(types) == list(columns) for _, types in shape.values()) and not any(odd.values())
    check(f"{name}: every reader sees the same {len(columns)} columns and types", same, "" if same else odd)
    check(f"{name}: every value is the same in pyarrow and Polars", table.to_pylist() == frame.to_dicts())
    metadata = table.schema.metadata or {}
    check(f"{name}: file metadata", metadata.get(b"advisory") == ADVISORY and b"policy_hash" in metadata
          and metadata.get(b"table") == name.encode() and metadata.get(b"schema_version") == b"1")
    bare = [f.name for f in table.schema if not (f.metadata or {}).get(b"description")]
    check(f"{name}: every column describes itself", not bare, bare or "")
    for column, fields in NESTED.get(name, {}).items():
        inner = table.schema.field(column).type.value_type
        seen = [inner.field(i).name for i in range(inner.num_fields)] if fields else []
        check(f"{name}.{column}: nested fields", seen == fields, seen or inner)
    for column, kind in columns.items():
        if kind == "double" and column.endswith("_probability"):
            values = [v for v in table[column].to_pylist() if v is not None]
            check(f"{name}.{column}: in [0, 1]", all(0 <= v <= 1 for v in values))


def check_nested_values(folder, modules):
    """Filters on nested columns give the same answer in SQL and in Polars."""
    duckdb, polars, _ = modules
    path = str(folder / "personas" / "part-0.parquet")
    by_sql = duckdb.sql(f"""
        SELECT count(*) FROM read_parquet('{path}', hive_partitioning=false)
        WHERE len(list_filter(buying_roles, lambda r: r.role = 'decider' AND r.probability >= 0.5)) > 0
    """).fetchall()[0][0]
    role = polars.element().struct.field
    fits = (role("role") == "decider") & (role("probability") >= 0.5).fill_null(False)
    frame = polars.read_parquet(path, hive_partitioning=False)
    by_polars = frame.filter(polars.col("buying_roles").list.eval(fits).list.any()).height
    check("personas: likely deciders, SQL = Polars", by_sql == by_polars, f"{by_sql} = {by_polars}")


def check_joins(folder, duckdb):
    """The joins over the tables that must find nothing."""
    db = duckdb.connect()
    for name in TABLES:
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM "
                   f"read_parquet('{folder}/{name}/part-*.parquet', hive_partitioning=false)")
    for name, query in JOINS:
        found = db.execute(query).fetchall()[0][0]
        check(f"0 {name}", found == 0, found)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    modules = readers()
    pipeline = pathlib.Path(sys.argv[1]) / sys.argv[2]
    current = pipeline / "current"
    if not check("the pipeline has a current snapshot", current.is_file(), current):
        sys.exit(1)
    line = current.read_text()
    folder = pipeline / line.strip()
    if not check("current is one line and names a folder",
                 line.startswith("snapshot=") and line.count("\n") == 1 and folder.is_dir()):
        sys.exit(1)
    for name in TABLES:
        files = sorted((folder / name).glob("part-*.parquet"))
        if check(f"{name}: has a file", bool(files)):
            check_table(name, files, modules)
    if failures == 0:
        check_nested_values(folder, modules)
        check_joins(folder, modules[0])
    print(f"{failures} checks failed" if failures else "all checks passed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
