"""The database and the vocabulary everybody speaks."""
