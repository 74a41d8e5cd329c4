"""A child that the rights of files bind, whoever runs the tests: `start(…, **BOUND)`.

Root may write everywhere. On Linux the child of root gives up for good what lets it pass over rights (capabilities(7)),
so that it is bound like any other user and still reads a clone that only root can reach; elsewhere it becomes `nobody`.
"""

import ctypes
import os
import sys
from typing import Any

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def _bind() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")
    else:
        import pwd

        os.setuid(pwd.getpwnam("nobody").pw_uid)


BOUND: dict[str, Any] = {"preexec_fn": _bind} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}
"""Options of `subprocess.Popen`; nothing is needed where rights bind already."""
