"""The detail of an outcome: a line for people, of which a receiver may have had a say.

The names in its certificate, where it redirects to, what a listener reports: none of it may be more than a database
keeps as text, than a terminal prints, or than a pattern reads in no time.
"""

MOST_OF_A_DETAIL = 1_000  # characters


def detail_to_keep(said: str) -> str:
    """One line of printable characters, `MOST_OF_A_DETAIL` at most; what is there already stays as it is.

    PostgreSQL's text takes no NUL, and no encoding takes half of a surrogate pair: an attempt with either could never
    be written, and its delivery would be sent again for ever.
    """
    line = said if said.isprintable() else "".join(map(_shown, said[: MOST_OF_A_DETAIL + 1]))
    return line if len(line) <= MOST_OF_A_DETAIL else f"{line[: MOST_OF_A_DETAIL - 1]}…"


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
