"""Whether an address is this machine's own, as its routing table has it."""

import errno
import socket
from ipaddress import ip_address

# This machine is out of files or memory: no fault of the receiver's, so it must not count as an attempt.
OUR_OWN_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

ANY_PORT = 9


def is_own_address(address: str) -> bool:
    """Whether dialling an address would end at this machine. Nothing is sent.

    To connect a UDP socket only chooses the address that we would speak from; to ourselves that is the same one.
    Raises OSError when this machine has no sockets left.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, ANY_PORT))
            return ip_address(asking.getsockname()[0]) == ip_address(address)
    except OSError as error:
        if error.errno in OUR_OWN_ERRORS:
            raise
        return False  # no way there, or a kernel without IPv6: the dialling itself will say so
