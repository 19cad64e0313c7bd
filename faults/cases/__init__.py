"""Every case, in the order in which they are printed. A further one is a module here and a line below."""

from faults.case import Case
from faults.cases.api_kill import API_KILL
from faults.cases.changes import CHANGES
from faults.cases.clock import CLOCK
from faults.cases.disk_full import DISK_FULL
from faults.cases.flood import FLOOD
from faults.cases.postgres_kill import POSTGRES_KILL
from faults.cases.postgres_trouble import POSTGRES_TROUBLE
from faults.cases.power_cut import POWER_CUT
from faults.cases.receivers import RECEIVERS
from faults.cases.upgrades import UPGRADES
from faults.cases.worker_kill import WORKER_KILL
from faults.cases.zombie import ZOMBIE

CASES: tuple[Case, ...] = (
    WORKER_KILL,
    API_KILL,
    ZOMBIE,
    POSTGRES_KILL,
    POSTGRES_TROUBLE,
    POWER_CUT,
    DISK_FULL,
    RECEIVERS,
    CLOCK,
    FLOOD,
    CHANGES,
    UPGRADES,
)
