"""Every case, in the order in which they are printed. A further one is a module here and a line below."""

from faults.case import Case
from faults.cases.clock import CLOCK
from faults.cases.disk_full import DISK_FULL
from faults.cases.power_cut import POWER_CUT
from faults.cases.worker_kill import WORKER_KILL

CASES: tuple[Case, ...] = (WORKER_KILL, POWER_CUT, DISK_FULL, CLOCK)
