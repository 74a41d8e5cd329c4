"""Merged projects, staged records, reviews, events, saved situations, erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns and tables; nothing that exists is touched."""
    op.add_column("projects", sa.Column("merged_into", sa.String()))
    op.add_column("judgements", sa.Column("origin", sa.String(), nullable=False, server_default="reviewer"))
    op.add_column("judgements", sa.Column("score", sa.Float()))
    op.add_column("judgements", sa.Column("run_id", sa.String()))
    op.create_table(
        "staged",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "project_id", name=op.f("pk_staged")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String()),
        sa.Column("property", sa.String()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String()),
        sa.Column("decision", sa.String()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_reviews_project_id_projects")),
        sa.ForeignKeyConstraint(["other_id"], ["projects.id"], name=op.f("fk_reviews_other_id_projects")),
    )
    op.create_index(op.f("ix_reviews_project_id"), "reviews", ["project_id"])
    op.create_index(op.f("ix_reviews_decided_at"), "reviews", ["decided_at"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.String()),
        sa.Column("source", sa.String()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_run_id"), "events", ["run_id"])
    op.create_index(op.f("ix_events_project_id"), "events", ["project_id"])
    op.create_table(
        "situations",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("best", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_situations")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key_sha256", sa.String(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_key_sha256"), "erasures", ["key_sha256"])
