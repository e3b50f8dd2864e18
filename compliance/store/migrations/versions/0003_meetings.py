"""Meetings: who took part, whose each part of it is, and what it came down to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OF_PARTICIPANTS = ("turns", "events", "messages", "recordings", "consents", "evidence")


def upgrade() -> None:
    """Add the tables, and whose in the meeting each row of a call is."""
    op.create_table(
        "participants",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("subject_id", sa.String(128), nullable=False),
        sa.Column("joined_ms", sa.BigInteger, nullable=False),
        sa.Column("left_ms", sa.BigInteger, nullable=True),
        sa.Column("sealed_name", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_participants_call_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_participants_subject_id"),
        sa.PrimaryKeyConstraint("id", name="pk_participants"),
        comment="who took part in a meeting; what is theirs in it is sealed under a key of that name",
    )
    op.create_index("ix_participants_call_id", "participants", ["call_id"])
    op.create_index("ix_participants_subject_id", "participants", ["subject_id"])
    op.create_table(
        "minutes",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("participant_id", sa.String(128), nullable=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("start_samples", sa.BigInteger, nullable=False),
        sa.Column("end_samples", sa.BigInteger, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("sealed_body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_minutes_call_id"),
        sa.PrimaryKeyConstraint("id", name="pk_minutes"),
        comment="what a meeting comes down to for the owner, an entry for each thing",
    )
    op.create_index("ix_minutes_call_id", "minutes", ["call_id"])
    op.create_index("ix_minutes_participant_id", "minutes", ["participant_id"])
    for table in _OF_PARTICIPANTS:
        op.add_column(table, sa.Column("participant_id", sa.String(128), nullable=True))
        op.create_index(f"ix_{table}_participant_id", table, ["participant_id"])
    op.add_column("turns", sa.Column("sealed_name", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    """Remove them again."""
    op.drop_column("turns", "sealed_name")
    for table in _OF_PARTICIPANTS:
        op.drop_index(f"ix_{table}_participant_id", table)
        op.drop_column(table, "participant_id")
    op.drop_table("minutes")
    op.drop_table("participants")
