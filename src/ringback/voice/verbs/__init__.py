"""The verbs: one file each.

Contract: a module of this folder has ``VERB``, a :class:`~ringback.voice.verb.Verb`. Its ``run(element,
attributes, session)`` is a generator: it makes effects by ``session.do(effect)`` and waits by ``event =
yield``; every event of the call comes by there, also those that it does not care about. It returns
``Next()``, ``Goto(Source)`` or ``End()``. ``Redirected`` and ``HungUp`` may be thrown in at a wait: let them
pass (tidy up in ``finally`` or ``except``; who owes an action request after a hang-up calls ``session.owe``).
``session`` is a :class:`~ringback.voice.stage.Stage`: nothing else of the call is a verb's to use. What must stay
with the leg is an object of a type of the verb's own: ``session.keep(part)``, ``session.part(Kind)``.
Attributes are a table: reader, default, warning code. Adding a verb is adding a file: nothing else lists it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ringback.voice.verb import Verb

VERBS: dict[str, Verb] = {}


def collect() -> dict[str, Verb]:
    """Import every module of the folder once; gives tag → verb."""
    if not VERBS:
        for module in iter_modules(__path__):
            verb: Verb = import_module(f"{__name__}.{module.name}").VERB
            VERBS[verb.tag] = verb
    return VERBS
