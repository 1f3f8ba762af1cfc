"""The event bridge: what the unmodified ``twilio-taskrouter`` of npm speaks (taskrouter-js.md).

One path, two channels: a web socket on which a worker hears what happens to them (``session.py``, ``sessions.py``,
``news.py``), and POSTs that ask and change (``asking.py`` → ``lists.py``, ``translation.py``). ``whole.py`` has
the objects as the SDK wants them, ``grant.py`` who asks, ``absence.py`` what becomes of a worker whose last
socket dropped; ``bridge.py`` puts it together.
"""

from ringback.web.event_bridge.bridge import EventBridge

__all__ = ["EventBridge"]
