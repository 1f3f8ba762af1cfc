"""Connections never take the descriptors that all the rest needs."""

from __future__ import annotations

import resource

import pytest

from ringback.processes.descriptors import LEAST, connections_within


@pytest.mark.parametrize(
    ("soft", "wanted", "share", "taken"),
    [
        (1024, 4096, 0.5, 512), (1024, 100, 0.5, 100), (1024, 0, 0.25, 256), (20, 4096, 0.5, LEAST),
        (1_048_576, 4096, 0.5, 4096), (resource.RLIM_INFINITY, 0, 0.5, 0), (resource.RLIM_INFINITY, 7, 0.5, 7),
    ],
)  # fmt: skip
def test_a_share(monkeypatch: pytest.MonkeyPatch, soft: int, wanted: int, share: float, taken: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, soft))
    assert connections_within(wanted, share) == taken
