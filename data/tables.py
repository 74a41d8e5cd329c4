"""The tables of the workspace's database, in types that SQLite and PostgreSQL share.

Below: nothing. Above: `data.database` opens, `data.store` fills and reads them; `data/migrations` builds the same
tables step by step. Times are ISO 8601 text in UTC with milliseconds (`2026-11-25T18:57:00.000Z`), so that text order
is time order. JSON values are kept as text, because their key order matters for an export that repeats its import.
"""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

SCHEMA_REVISION = "0002"
"""The newest migration; a database of an unknown revision was written by a newer version."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

sources = Table(
    "sources",
    metadata,
    Column("name", String, primary_key=True),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text),
    Column("organisation", Text),
    Column("municipality", Text),
    Column("state", Text),
    Column("start_year", Integer),
    Column("end_year", Integer),
    Column("url", Text),
    Column("extra", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("origin", String, nullable=False),
    Column("source", String, ForeignKey("sources.name"), nullable=False),
    # The current version. No foreign key: documents point here already, and a circle would need deferred checks.
    Column("document_id", String, nullable=False),
    Column("extracted_document_id", String),
    Column("extractor_version", String),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
    # The project that speaks for this one since both were judged the same; no foreign key: it may be erased.
    Column("merged_into", String),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", String, ForeignKey("projects.id"), nullable=False),
    Column("url", Text),
    Column("source", String, ForeignKey("sources.name"), nullable=False),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("fetched_at", String, nullable=False),
    Index(None, "project_id"),
)

statements = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("project_id", String, ForeignKey("projects.id"), nullable=False),
    Column("property", String, nullable=False),
    Column("value", Text, nullable=False),
    Column("original_value", Text),
    Column("document_id", String, ForeignKey("documents.id")),
    Column("origin", String, nullable=False),
    Column("extractor_version", String, nullable=False),
    Column("span_start", Integer),
    Column("span_end", Integer),
    Column("span_where", String, nullable=False),
    Column("quote", Text),
    Column("score", Float),
    Column("position", Integer, nullable=False),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
    Column("closed_at", String),
    Index(None, "project_id", "closed_at"),
)

passages = Table(
    "passages",
    metadata,
    Column("project_id", String, ForeignKey("projects.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("document_id", String, ForeignKey("documents.id"), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    PrimaryKeyConstraint("project_id", "position"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("fingerprint", String, nullable=False),
    Column("text_sha256", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    PrimaryKeyConstraint("fingerprint", "text_sha256"),
)

judgements = Table(
    "judgements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("project_id", String, ForeignKey("projects.id"), nullable=False),
    Column("other_id", String, ForeignKey("projects.id")),
    Column("note", Text),
    Column("created_at", String, nullable=False),
    Column("withdrawn_at", String),
    Column("origin", String, nullable=False, server_default="reviewer"),
    Column("score", Float),
    Column("run_id", String),
    Index(None, "project_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("ended_at", String),
    Column("status", String, nullable=False),
    Column("summary", Text, nullable=False),
)

# What a crawl has brought and no gate has let through yet: masked projects as JSON.
staged = Table(
    "staged",
    metadata,
    Column("source", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("record", Text, nullable=False),
    Column("fetched_at", String, nullable=False),
    PrimaryKeyConstraint("source", "project_id"),
)

# Questions to a person: open until decided.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("project_id", String, ForeignKey("projects.id"), nullable=False),
    Column("other_id", String, ForeignKey("projects.id")),
    Column("property", String),
    Column("detail", Text, nullable=False),
    Column("score", Float),
    Column("created_at", String, nullable=False),
    Column("decided_at", String),
    Column("decision", String),
    Column("note", Text),
    Index(None, "project_id"),
    Index(None, "decided_at"),
)

# What a run changed, one row a change; history and digest are read from them.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("project_id", String),
    Column("source", String),
    Column("detail", Text, nullable=False),
    Column("at", String, nullable=False),
    Index(None, "run_id"),
    Index(None, "project_id"),
)

situations = Table(
    "situations",
    metadata,
    Column("name", String, primary_key=True),
    Column("text", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Column("best", Text, nullable=False),
)

# What must never come back: hashes only, so that the list itself holds nothing that was erased.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("key_sha256", String, nullable=False),
    Column("words", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Index(None, "key_sha256"),
)
