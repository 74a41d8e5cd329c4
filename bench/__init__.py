"""`make bench`: how long start, import, encoding, indexing and matching take, and in how much memory."""
