"""What `hookwright db distribute` calls of Citus, only taking down what it is told; as an extension too."""

from pathlib import Path

SQL = """
CREATE TABLE pg_dist_partition (logicalrelid regclass, colocated text, shards int);
CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, colocate_with text, shard_count int DEFAULT NULL
) RETURNS void LANGUAGE sql AS 'INSERT INTO pg_dist_partition VALUES (table_name, colocate_with, shard_count)';
"""
CONTROL = "comment = 'a stand-in for tests'\ndefault_version = '0'\nschema = public\n"


def write_extension(folder: Path) -> str:
    """Write the extension into a folder; the value of `extension_control_path` (PostgreSQL 18) that has it found."""
    written = folder / "extension"
    written.mkdir(parents=True)
    (written / "citus.control").write_text(CONTROL)
    (written / "citus--0.sql").write_text(SQL)
    return f"$system:{folder}"
