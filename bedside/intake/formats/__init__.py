"""Kinds of files that tables come in, each read inside a process of its own."""
