"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates every table."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_seen", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sources")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("organisation", sa.Text()),
        sa.Column("municipality", sa.Text()),
        sa.Column("state", sa.Text()),
        sa.Column("start_year", sa.Integer()),
        sa.Column("end_year", sa.Integer()),
        sa.Column("url", sa.Text()),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("extracted_document_id", sa.String()),
        sa.Column("extractor_version", sa.String()),
        sa.Column("first_seen", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.ForeignKeyConstraint(["source"], ["sources.name"], name=op.f("fk_projects_source_sources")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_documents_project_id_projects")),
        sa.ForeignKeyConstraint(["source"], ["sources.name"], name=op.f("fk_documents_source_sources")),
    )
    op.create_index(op.f("ix_documents_project_id"), "documents", ["project_id"])
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("property", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("original_value", sa.Text()),
        sa.Column("document_id", sa.String()),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("extractor_version", sa.String(), nullable=False),
        sa.Column("span_start", sa.Integer()),
        sa.Column("span_end", sa.Integer()),
        sa.Column("span_where", sa.String(), nullable=False),
        sa.Column("quote", sa.Text()),
        sa.Column("score", sa.Float()),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=False),
        sa.Column("closed_at", sa.String()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_statements_project_id_projects")),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_statements_document_id_documents")),
    )
    op.create_index(op.f("ix_statements_project_id_closed_at"), "statements", ["project_id", "closed_at"])
    op.create_table(
        "passages",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "position", name=op.f("pk_passages")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_passages_project_id_projects")),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_passages_document_id_documents")),
    )
    op.create_table(
        "vectors",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("text_sha256", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "text_sha256", name=op.f("pk_vectors")),
    )
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String()),
        sa.Column("note", sa.Text()),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.String()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_judgements_project_id_projects")),
        sa.ForeignKeyConstraint(["other_id"], ["projects.id"], name=op.f("fk_judgements_other_id_projects")),
    )
    op.create_index(op.f("ix_judgements_project_id"), "judgements", ["project_id"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("ended_at", sa.String()),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )


def downgrade() -> None:
    """Drops every table."""
    for name in ("runs", "judgements", "vectors", "passages", "statements", "documents", "projects", "sources", "meta"):
        op.drop_table(name)
