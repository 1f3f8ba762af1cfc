"""What the limit on open files leaves for connections: the database, recordings and audio need descriptors as well."""

from __future__ import annotations

import resource

LEAST = 16
"""So many connections are taken however low the limit is."""


def connections_within(wanted: int, share: float) -> int:
    """``wanted`` connections (0: as many as there can be), but no more than a share of the process's descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = max(LEAST, int(soft * share))
    return min(wanted, most) if wanted else most
