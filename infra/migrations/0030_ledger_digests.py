"""Digests of the ledger's entries, each with the record of the trail that tells of it. Its rows are
added and read, never changed or deleted, as the trail's."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE ledger_digest (
  cell_id int NOT NULL,
  first_seq int NOT NULL,
  last_seq int NOT NULL,
  hash bytea NOT NULL,
  record_seq bigint NOT NULL,
  PRIMARY KEY (cell_id, last_seq),
  UNIQUE (record_seq, cell_id)
)
"""
FIRST = "CREATE UNIQUE INDEX ledger_digest_first ON ledger_digest (cell_id, first_seq)"
ROWS = """
CREATE TRIGGER ledger_digest_kept BEFORE UPDATE OR DELETE ON ledger_digest
  FOR EACH ROW EXECUTE FUNCTION onhand_keep_trail()
"""
WHOLE = """
CREATE TRIGGER ledger_digest_whole BEFORE TRUNCATE ON ledger_digest
  FOR EACH STATEMENT EXECUTE FUNCTION onhand_keep_trail()
"""


class Migration(migrations.Migration):
    dependencies = [("onhand", "0026_password_changes")]

    operations = [
        ops.RunSQL(TABLE, "DROP TABLE ledger_digest"),
        ops.RunSQL(FIRST, "DROP INDEX ledger_digest_first"),
        ops.RunSQL(ROWS, "DROP TRIGGER ledger_digest_kept ON ledger_digest"),
        ops.RunSQL(WHOLE, "DROP TRIGGER ledger_digest_whole ON ledger_digest"),
    ]
