"""The trail. Its rows are added and read, never changed or deleted: not by us, not by mistake. Who
owns the database can lift that; the chain and its heads tell of it (domain/trail.py)."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE audit_record (
  seq bigint PRIMARY KEY,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  at timestamptz NOT NULL,
  subject varchar(200) NOT NULL,
  person uuid,
  act varchar(64) NOT NULL,
  target varchar(200) NOT NULL,
  outcome varchar(64) NOT NULL,
  request_id uuid,
  asked text NOT NULL,
  before text,
  after text,
  address varchar(64),
  correlation_id varchar(64)
)
"""
INDEXES = [
    "CREATE INDEX audit_record_subject ON audit_record (subject, seq)",
    "CREATE INDEX audit_record_target ON audit_record (target, seq)",
    "CREATE INDEX audit_record_request ON audit_record (request_id)",
]
REFUSE = """
CREATE FUNCTION onhand_keep_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the trail is not changed and not deleted' USING ERRCODE = 'OH002';
END $$
"""
ROWS = """
CREATE TRIGGER audit_record_kept BEFORE UPDATE OR DELETE ON audit_record
  FOR EACH ROW EXECUTE FUNCTION onhand_keep_trail()
"""
WHOLE = """
CREATE TRIGGER audit_record_whole BEFORE TRUNCATE ON audit_record
  FOR EACH STATEMENT EXECUTE FUNCTION onhand_keep_trail()
"""


class Migration(migrations.Migration):
    dependencies = [("onhand", "0014_people")]

    operations = [
        ops.RunSQL(TABLE, "DROP TABLE audit_record"),
        ops.RunSQL(INDEXES, []),
        ops.RunSQL(REFUSE, "DROP FUNCTION onhand_keep_trail()"),
        ops.RunSQL(ROWS, "DROP TRIGGER audit_record_kept ON audit_record"),
        ops.RunSQL(WHOLE, "DROP TRIGGER audit_record_whole ON audit_record"),
    ]
