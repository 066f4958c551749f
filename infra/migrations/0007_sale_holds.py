"""What a sale has given so far is counted from its holds when an owner takes it over."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEX = "CREATE INDEX hold_of_pool ON hold (pool) WHERE pool IS NOT NULL"
INDEX_BACK = "DROP INDEX hold_of_pool"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0006_seats")]

    operations = [ops.RunSQL(INDEX, INDEX_BACK)]
