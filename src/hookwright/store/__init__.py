"""Where everything is kept. `base.py` is the promise; SQLite and PostgreSQL keep it."""
