"""The blocks that are no commands and no samples, each with what it is: whoever adds one answers for it.

A block is named by its page and by how its first line begins. An entry that no page has any more fails a test, and so
does a block that is neither run nor here.
"""

NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/architecture.md", "platform ──POST"): "a drawing",
    ("docs/installing.md", "python3 -m venv /opt/hookwright"): "installs from a package index, into /opt",
    ("docs/installing.md", "FROM python"): "a Containerfile: its image comes from a registry",
    ("docs/installing.md", "CREATE ROLE"): "changes a whole server, and CREATE DATABASE stands in no transaction",
    ("docs/installing.md", "upstream hookwright"): "a configuration of nginx, which is not among what the tests need",
}
