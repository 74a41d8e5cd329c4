"""A document becomes a curated, indexed project."""
