"""`python -m hookwright.cli` is `hookwright`."""

from hookwright.cli import main

main()
