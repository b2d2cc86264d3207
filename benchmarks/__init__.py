"""Measurements side by side with plain DuckDB. Nothing here is asserted by a test."""
