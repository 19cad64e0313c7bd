"""Every case, in the order in which they are printed. A further one is a module here and a line below."""

from faults.case import Case
from faults.cases.changes import CHANGES
from faults.cases.flood import FLOOD
from faults.cases.receivers import RECEIVERS
from faults.cases.worker_kill import WORKER_KILL

CASES: tuple[Case, ...] = (WORKER_KILL, RECEIVERS, FLOOD, CHANGES)
