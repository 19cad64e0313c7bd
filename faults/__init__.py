"""The fault harness: breaks a running Hookwright on purpose and checks from records alone what it promised."""
