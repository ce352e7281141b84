"""The number of OpenMP threads and how they wait for each other, set before any library starts them."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from hepclf.training.cores import affinity, granted

# A waiting thread spins, then sleeps. By default it spins for so long that, next to other processes, it takes the core
# from the thread that it waits for. Each copy of a library reads its variable once, when it is loaded.
SHORT_SPIN = {
    "GOMP_SPINCOUNT": "800",  # GNU's libgomp, in the Linux wheels; its default is 300,000
    "KMP_BLOCKTIME": "1",  # Intel's and LLVM's, on macOS; in ms, the default is 200
}


def share_machine(variables: MutableMapping[str, str] = os.environ) -> None:
    """Let waiting threads sleep soon, unless the user chose how they wait; start at most as many as a quota allows.

    A process that is started from this one inherits both.
    """
    if not {"OMP_WAIT_POLICY", *SHORT_SPIN} & set(variables):
        variables.update(SHORT_SPIN)
    quota = granted()
    if quota < affinity():  # libraries know the mask, and not the quota
        variables.setdefault("OMP_NUM_THREADS", str(quota))
