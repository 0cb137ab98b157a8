"""What a client sends twice, because it heard no answer, is kept once: it names each by a key of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the key; what was kept before has none."""
    op.add_column("feedback", sa.Column("client_key", sa.String(64), nullable=True))
    op.create_index("feedback_client_key", "feedback", ["client_key"], unique=True)
