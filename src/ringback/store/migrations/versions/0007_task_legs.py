"""What calls are to tasks has names of its own: ``task_leg`` in a call's plan, ``customer`` in what a task knows.

The texts are our encoder's, without blanks; inside a value a quote is escaped, so that no value looks like a key. Of
two equal keys the last one counts: a customer who was dialled and has answered since is ``talking``.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TASKS = (
    ('"customer_call":', '"customer":"dialled","customer_call":'),
    ('"customer_ended":true', '"customer":"unreached"'),
    ('"customer_answered":true', '"customer":"talking"'),
    ('"bridged":true', '"customer":"talking"'),
)


def upgrade() -> None:
    """Rename the keys in the JSON texts."""
    _replace("calls", "plan", '"desk":{}', '"task_leg":null')
    _replace("calls", "plan", '"desk":', '"task_leg":')
    for old, new in _TASKS:
        _replace("taskrouter_tasks", "conference", old, new)


def _replace(table: str, column: str, old: str, new: str) -> None:
    old, new = old.replace(":", "\\:"), new.replace(":", "\\:")  # no names of parameters
    op.execute(
        f"UPDATE {table} SET {column} = REPLACE({column}, '{old}', '{new}') "  # noqa: S608 - our own words
        f"WHERE {column} LIKE '%{old}%'"
    )
