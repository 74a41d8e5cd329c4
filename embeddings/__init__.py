"""Texts to vectors, and the dense and lexical indexes over them."""
