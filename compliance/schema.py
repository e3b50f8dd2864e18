"""The tables. Columns in the clear hold ids, positions, times and kinds; every `sealed...` is personal.

A change here needs a new revision in `migrations/versions` and a new `HEAD`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

HEAD = "0001"
"""The revision that these tables are; known without importing Alembic, which a normal start does not need."""

ID_LENGTH = 128
WORD_LENGTH = 64

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(WORD_LENGTH), primary_key=True),
    Column("value", String(256), nullable=False),
    comment="facts about the database itself",
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("lookup", String(64), nullable=False, unique=True),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("channel", String(WORD_LENGTH), nullable=False),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=True, index=True),
    Column("worker", String(WORD_LENGTH), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=True),
    Column("end_reason", String(WORD_LENGTH), nullable=True),
    Column("sealed_detail", LargeBinary, nullable=False),
    Index(None, "started_ms", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("call_id", ForeignKey(calls.c.id), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("who", String(16), nullable=False),
    Column("start_samples", BigInteger, nullable=False),
    Column("end_samples", BigInteger, nullable=False),
    Column("rate_hz", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("provenance", String(WORD_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("sealed_words", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    Column("kind", String(WORD_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("position_samples", BigInteger, nullable=True),
    Column("rate_hz", Integer, nullable=True),
    Column("sealed_detail", LargeBinary, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=True, index=True),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=True, index=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("sealed_text", LargeBinary, nullable=False),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=False),
    Column("kind", String(WORD_LENGTH), nullable=False),
    Column("name", String(ID_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("sealed_data", LargeBinary, nullable=False),
    UniqueConstraint("subject_id", "kind", "name"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("nonce_hash", String(ID_LENGTH), primary_key=True),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)
