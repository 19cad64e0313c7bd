"""Foreign APIs, each in a folder of its own that nothing but `app.py` knows."""
