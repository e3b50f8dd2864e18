"""Subjects, calls, turns, events, messages, items and one-use tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "marks",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
        comment="facts about the database itself",
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("lookup", sa.String(64), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
        sa.UniqueConstraint("lookup", name="uq_subjects_lookup"),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(128), nullable=True),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger, nullable=True),
        sa.Column("end_reason", sa.String(64), nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_calls_subject_id"),
    )
    op.create_index("ix_calls_subject_id", "calls", ["subject_id"])
    op.create_index("ix_calls_state", "calls", ["state"])
    op.create_index("ix_calls_started_ms_id", "calls", ["started_ms", "id"])
    _create_call_content()
    op.create_table(
        "items",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subject_id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_items_subject_id"),
        sa.UniqueConstraint("subject_id", "kind", "name", name="uq_items_subject_id_kind_name"),
    )
    op.create_table(
        "tokens",
        sa.Column("nonce_hash", sa.String(128), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_tokens"),
    )
    op.create_index("ix_tokens_expires_ms", "tokens", ["expires_ms"])


def _create_call_content() -> None:
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("sequence", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("who", sa.String(16), nullable=False),
        sa.Column("start_samples", sa.BigInteger, nullable=False),
        sa.Column("end_samples", sa.BigInteger, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("cut", sa.Boolean, nullable=False),
        sa.Column("provenance", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_text", sa.LargeBinary, nullable=False),
        sa.Column("sealed_words", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "sequence", name="pk_turns"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_turns_call_id"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("position_samples", sa.BigInteger, nullable=True),
        sa.Column("rate_hz", sa.Integer, nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_events_call_id"),
    )
    op.create_index("ix_events_call_id", "events", ["call_id"])
    op.create_table(
        "messages",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=True),
        sa.Column("subject_id", sa.String(128), nullable=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_text", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_messages_call_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_messages_subject_id"),
    )
    op.create_index("ix_messages_call_id", "messages", ["call_id"])
    op.create_index("ix_messages_subject_id", "messages", ["subject_id"])
    op.create_index("ix_messages_at_ms", "messages", ["at_ms"])


def downgrade() -> None:
    """Remove everything."""
    for table in ("tokens", "items", "messages", "events", "turns", "calls", "subjects", "marks"):
        op.drop_table(table)
