"""Watermarks: which token is whose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "watermarks",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("short", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("again", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("bits", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_watermarks_call_id"),
        sa.PrimaryKeyConstraint("day", "short", "again", name="pk_watermarks"),
        comment="which token the mark in a sound carries; it says nothing about anybody",
    )
    op.create_index("ix_watermarks_call_id", "watermarks", ["call_id"])


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("watermarks")
