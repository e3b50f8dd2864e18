"""The tables. Columns in the clear hold ids, positions, times and kinds; every `sealed...` is personal.

A change here needs a new revision in `migrations/versions` and a new `HEAD`; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal,
)

HEAD = "0004"
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
    Column("language", String(16), nullable=False, server_default=""),
    Column("provider_ref", String(ID_LENGTH), nullable=False, server_default=""),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=True, index=True),
    Column("worker", String(WORD_LENGTH), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=True),
    Column("end_reason", String(WORD_LENGTH), nullable=True),
    Column("sealed_detail", LargeBinary, nullable=False),
    Index(None, "started_ms", "id"),
)

participants = Table(
    "participants",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=False, index=True),
    Column("joined_ms", BigInteger, nullable=False),
    Column("left_ms", BigInteger, nullable=True),
    Column("sealed_name", LargeBinary, nullable=False),
    comment="who took part in a meeting; what is theirs in it is sealed under a key of that name",
)


def _of_participant() -> Column[Any]:
    """Whose a row of a meeting is; without a foreign key, which SQLite cannot add to a table."""
    return Column("participant_id", String(ID_LENGTH), nullable=True, index=True)


turns = Table(
    "turns",
    metadata,
    Column("call_id", ForeignKey(calls.c.id), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _of_participant(),
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
    Column("sealed_name", LargeBinary, nullable=True),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    _of_participant(),
    Column("kind", String(WORD_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("position_samples", BigInteger, nullable=True),
    Column("rate_hz", Integer, nullable=True),
    Column("sealed_detail", LargeBinary, nullable=False),
)

minutes = Table(
    "minutes",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    _of_participant(),
    Column("kind", String(WORD_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("start_samples", BigInteger, nullable=False),
    Column("end_samples", BigInteger, nullable=False),
    Column("rate_hz", Integer, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    comment="what a meeting comes down to for the owner, an entry for each thing",
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=True, index=True),
    _of_participant(),
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

consents = Table(
    "consents",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=True, index=True),
    _of_participant(),
    Column("subject_id", ForeignKey(subjects.c.id), nullable=True, index=True),
    Column("purpose", String(WORD_LENGTH), nullable=False),
    Column("status", String(WORD_LENGTH), nullable=False),
    Column("method", String(WORD_LENGTH), nullable=False),
    Column("language", String(16), nullable=False),
    Column("policy", String(WORD_LENGTH), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("expires_ms", BigInteger, nullable=True),
    Column("sealed_receipt", LargeBinary, nullable=False),
    comment="every answer to a question of consent; the newest of a call and purpose counts",
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    _of_participant(),
    Column("state", String(16), nullable=False, index=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=True),
    Column("start_samples", BigInteger, nullable=False),
    Column("clock_hz", Integer, nullable=False),
    Column("rate_hz", Integer, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    comment="sound that was kept; its encrypted chunks are files named by the id",
)

holds = Table(
    "holds",
    metadata,
    Column("call_id", ForeignKey(calls.c.id), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    comment="calls that may not be deleted for now, and why",
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("day", Date, primary_key=True),
    Column("short", Integer, primary_key=True, autoincrement=False),
    Column("again", Integer, primary_key=True, autoincrement=False),
    Column("bits", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("what", String(16), nullable=False),
    Column("call_id", ForeignKey(calls.c.id), nullable=True, index=True),
    Column("at_ms", BigInteger, nullable=False),
    comment="which token the mark in a sound carries; it says nothing about anybody",
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("kind", String(WORD_LENGTH), nullable=False),
    Column("state", String(WORD_LENGTH), nullable=False, index=True),
    Column("channel", String(WORD_LENGTH), nullable=False),
    Column("law", String(WORD_LENGTH), nullable=False),
    Column("lookup", String(64), nullable=False, index=True),
    Column("call_id", String(ID_LENGTH), nullable=True),
    Column("created_ms", BigInteger, nullable=False, index=True),
    Column("due_ms", BigInteger, nullable=False, index=True),
    Column("verified_ms", BigInteger, nullable=True),
    Column("closed_ms", BigInteger, nullable=True),
    Column("sealed_detail", LargeBinary, nullable=False),
    Column("receipt", Text, nullable=True),
    comment="what people asked for about their data; the receipt holds no name",
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("request_id", String(ID_LENGTH), nullable=True),
    Column("lookup", String(64), nullable=False, index=True),
    Column("kind", String(WORD_LENGTH), nullable=True),
    Column("step", String(WORD_LENGTH), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger, nullable=True),
    Column("sealed_plan", LargeBinary, nullable=False),
    Column("receipt", Text, nullable=True),
    comment="how far each erasure has come; the plan is sealed under a key that goes when it is done",
)

evidence = Table(
    "evidence",
    metadata,
    Column("leaf", String(64), primary_key=True),
    Column("kind", String(WORD_LENGTH), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("call_id", String(ID_LENGTH), nullable=True, index=True),
    Column("subject_id", String(ID_LENGTH), nullable=True, index=True),
    _of_participant(),
    Column("sealed_detail", LargeBinary, nullable=False),
    comment="what the ledger's salted commitments stand for; without its key a leaf says nothing",
)

operators = Table(
    "operators",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("name", String(WORD_LENGTH), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("passphrase_hash", String(256), nullable=False),
    Column("sealed_totp", LargeBinary, nullable=False),
    Column("last_totp_step", BigInteger, nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("operator_id", ForeignKey(operators.c.id), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)


def key_of(table: Table) -> ColumnElement[Any]:
    """The name of the key that a row's `sealed_` columns are closed with: its participant's, else its call's, else
    its person's, or its own."""
    if table is erasures:
        return literal("erasure:") + erasures.c.id
    if table in (calls, subjects, participants):
        return table.c.id
    names = ("participant_id", "call_id", "subject_id")
    owners = [table.c[name] for name in names if name in table.c and table is not requests]
    own: ColumnElement[Any] = next(iter(table.primary_key.columns))
    required = next((at for at, column in enumerate(owners) if not column.nullable), None)
    chain = [*owners, own] if required is None else owners[: required + 1]
    return func.coalesce(*chain) if len(chain) > 1 else chain[0]
