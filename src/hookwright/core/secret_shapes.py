"""What our secrets look like, so that none is repeated where it does not belong: in a refusal, in a log line.

Whoever puts a key into the wrong member, or a path, must not find it again in an answer that some proxy logs.
"""

import re

LEFT_OUT = "[secret]"

# `hw_1z_9f86d08…`, every other key and token of ours, a part of one too; signing secrets as Standard Webhooks
# writes them; portal links. Public keys (`whpk_`) are none.
SECRET = re.compile(
    r"(?<![A-Za-z0-9])(?:[a-z]{2,9}_[0-9a-z]{1,11}_[0-9a-f]{16,80}|(?:wh(?:sec|sk)|hwportal)_[A-Za-z0-9+/=_-]{16,})"
)


def without_secrets(text: str) -> str:
    """The text with every secret of ours left out; secrets of others, which look like anything, are not known."""
    return SECRET.sub(LEFT_OUT, text)
