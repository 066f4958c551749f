"""One row about the placement: a version that grows with each change of it, so that owners need not
read it all to see that nothing changed; how often hot pairs were given a seat, and taken back."""

from tortoise import migrations
from tortoise.migrations import operations as ops

STATE = """
CREATE TABLE placement_state (
  is_it boolean PRIMARY KEY DEFAULT true CHECK (is_it),
  version bigint NOT NULL DEFAULT 0,
  promotions bigint NOT NULL DEFAULT 0,
  demotions bigint NOT NULL DEFAULT 0
)
"""
CHANGED = """
CREATE FUNCTION onhand_placement_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE placement_state SET version = version + 1;
  RETURN NULL;
END $$
"""
WATCHED = """
CREATE TRIGGER placement_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON placement
  FOR EACH STATEMENT EXECUTE FUNCTION onhand_placement_changed()
"""
ROW = "INSERT INTO placement_state DEFAULT VALUES"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0019_second_factor")]

    operations = [
        ops.RunSQL(STATE, "DROP TABLE placement_state"),
        ops.RunSQL(ROW, []),
        ops.RunSQL(CHANGED, "DROP FUNCTION onhand_placement_changed()"),
        ops.RunSQL(WATCHED, "DROP TRIGGER placement_changed ON placement"),
    ]
