"""The conformance suite of the store: every test without a database's name in it runs on all of them."""
