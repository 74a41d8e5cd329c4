"""Fetching and reading public pages and lists, politely and lawfully."""
