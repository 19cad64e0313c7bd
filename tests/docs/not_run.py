"""The blocks that no test runs, each with its reason: whoever adds one answers for it.

A block is named by its page and by how its first line begins. An entry that no page has any more fails a test, and so
does a block that is neither run nor here.
"""

NOT_RUN: dict[tuple[str, str], str] = {
    ("README.md", "make setup "): "installs; whoever runs the tests has done it",
    ("README.md", "export HOOKWRIGHT_DATABASE_URL=postgresql://"): (
        "serves until it is ended, on a database that is not there; tests/e2e/test_process.py starts it so"
    ),
    (
        "README.md",
        "make demo ",
    ): "tests/e2e/test_demo.py runs the demo; the suite takes minutes, and this is part of it",
    ("docs/first-delivery.md", "make setup "): "installs; whoever runs the tests has done it",
    ("docs/reliability.md", "make faults "): "takes from minutes to many hours",
    ("docs/api.md", 'curl "$BASE/api/v1/listeners"'): (
        "waits for a delivery between its lines; tests/api/test_listeners.py makes these requests"
    ),
    ("docs/command-line.md", "export HOOKWRIGHT_URL="): "goes on until it is ended; tests/cli/test_listen.py does it",
    ("docs/command-line.md", "hookwright tail "): "goes on until it is ended; tests/cli/test_tail.py does it",
    ("docs/performance.md", "make bench "): "takes from minutes to hours",
    (
        "docs/scaling.md",
        'psql "$HOOKWRIGHT_DATABASE_URL"',
    ): "needs a Citus cluster; the page says that it was not tried",
    (
        "docs/scaling.md",
        "hookwright serve --processes 4",
    ): "serves until it is ended; tests/e2e/test_processes.py does it",
    ("docs/architecture.md", "platform ──POST"): "a drawing",
}
