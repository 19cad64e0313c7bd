"""Moved."""

from hookwright.testing.postgres import TEMPLATE, database_url, fresh_database, make_template, postgres_server, run

__all__ = ["TEMPLATE", "database_url", "fresh_database", "make_template", "postgres_server", "run"]
