"""Reads one encrypted table with DuckDB and pyarrow, with one key for the whole file.

Usage: read_encrypted.py FILE KEY_HEX CANARY; exit 0 = both read it, 1 = one does not, 77 = readers are missing.
"""

import base64
import sys


def main() -> int:
    file, key, canary = sys.argv[1], bytes.fromhex(sys.argv[2]), sys.argv[3]
    try:
        import duckdb
        import pyarrow
        import pyarrow.parquet as pq
        import pyarrow.parquet.encryption as encryption
    except ImportError as e:
        print(f"missing: {e}")
        return 77
    failed = False

    def check(name, read):
        nonlocal failed
        try:
            quotes = read()
            ok = len(quotes) > 0 and set(quotes) == {canary}
            print(f"{'ok' if ok else 'FAIL'}: {name} read {len(quotes)} rows")
            failed |= not ok
        except Exception as e:  # a reader may fail in any way
            print(f"FAIL: {name}: {e}")
            failed = True

    def by_pyarrow():
        properties = encryption.create_decryption_properties(footer_key=key)
        table = pq.ParquetFile(file, decryption_properties=properties).read()
        return table["quote"].to_pylist()

    def by_duckdb():
        db = duckdb.connect()
        db.execute(f"PRAGMA add_parquet_key('k', '{base64.b64encode(key).decode()}')")
        sql = f"SELECT quote FROM read_parquet('{file}', encryption_config = {{footer_key: 'k'}})"
        return [row[0] for row in db.execute(sql).fetchall()]

    if hasattr(encryption, "create_decryption_properties"):
        check(f"pyarrow {pyarrow.__version__}", by_pyarrow)
    else:
        print("pyarrow is too old to be given a key")
        return 77
    check(f"duckdb {duckdb.__version__}", by_duckdb)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
