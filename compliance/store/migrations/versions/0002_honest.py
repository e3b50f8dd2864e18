"""Consents, recordings, holds, requests, erasures, evidence, and who may sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and what a call now says of itself."""
    for name, length in (("language", 16), ("provider_ref", 128)):
        op.add_column("calls", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    _create_of_calls()
    _create_of_people()
    _create_of_operators()


def _create_of_calls() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=True),
        sa.Column("subject_id", sa.String(128), nullable=True),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=True),
        sa.Column("sealed_receipt", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_consents_call_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_consents_subject_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        comment="every answer to a question of consent; the newest of a call and purpose counts",
    )
    op.create_index("ix_consents_subject_id", "consents", ["subject_id"])
    op.create_index("ix_consents_at_ms", "consents", ["at_ms"])
    op.create_index("ix_consents_call_id", "consents", ["call_id"])
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger, nullable=True),
        sa.Column("start_samples", sa.BigInteger, nullable=False),
        sa.Column("clock_hz", sa.Integer, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("frames", sa.BigInteger, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recordings_call_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        comment="sound that was kept; its encrypted chunks are files named by the id",
    )
    op.create_index("ix_recordings_call_id", "recordings", ["call_id"])
    op.create_index("ix_recordings_state", "recordings", ["state"])
    op.create_table(
        "holds",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_holds_call_id"),
        sa.PrimaryKeyConstraint("call_id", name="pk_holds"),
        comment="calls that may not be deleted for now, and why",
    )


def _create_of_people() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("law", sa.String(64), nullable=False),
        sa.Column("lookup", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("verified_ms", sa.BigInteger, nullable=True),
        sa.Column("closed_ms", sa.BigInteger, nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        comment="what people asked for about their data; the receipt holds no name",
    )
    op.create_index("ix_requests_state", "requests", ["state"])
    op.create_index("ix_requests_due_ms", "requests", ["due_ms"])
    op.create_index("ix_requests_created_ms", "requests", ["created_ms"])
    op.create_index("ix_requests_lookup", "requests", ["lookup"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=True),
        sa.Column("lookup", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=True),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("finished_ms", sa.BigInteger, nullable=True),
        sa.Column("sealed_plan", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        comment="how far each erasure has come; the plan is sealed under a key that goes when it is done",
    )
    op.create_index("ix_erasures_lookup", "erasures", ["lookup"])
    op.create_table(
        "evidence",
        sa.Column("leaf", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("call_id", sa.String(128), nullable=True),
        sa.Column("subject_id", sa.String(128), nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("leaf", name="pk_evidence"),
        comment="what the ledger's salted commitments stand for; without its key a leaf says nothing",
    )
    op.create_index("ix_evidence_subject_id", "evidence", ["subject_id"])
    op.create_index("ix_evidence_at_ms", "evidence", ["at_ms"])
    op.create_index("ix_evidence_call_id", "evidence", ["call_id"])
    op.create_index("ix_evidence_kind", "evidence", ["kind"])


def _create_of_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("passphrase_hash", sa.String(256), nullable=False),
        sa.Column("sealed_totp", sa.LargeBinary, nullable=False),
        sa.Column("last_totp_step", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("name", name="uq_operators_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("operator_id", sa.String(128), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name="fk_sessions_operator_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_ms", "sessions", ["expires_ms"])
    op.create_index("ix_sessions_operator_id", "sessions", ["operator_id"])


def downgrade() -> None:
    """Remove them again."""
    for table in ("sessions", "operators", "evidence", "erasures", "requests", "holds", "recordings", "consents"):
        op.drop_table(table)
    for name in ("provider_ref", "language"):
        op.drop_column("calls", name)
