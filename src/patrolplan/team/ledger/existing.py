"""The settings' ledger if there is one; otherwise no database library is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.team.ledger.address import has_ledger

if TYPE_CHECKING:
    from patrolplan.settings import Settings
    from patrolplan.team.ledger.ledger import Ledger


def open_existing_ledger(settings: Settings) -> Ledger | None:
    """Open the settings' ledger; None where there is none yet: looking does not create one.

    Raises
    ------
    LedgerError
        When the ledger cannot be reached.
    """
    if not has_ledger(settings):
        return None
    from patrolplan.team.ledger.ledger import open_ledger  # noqa: PLC0415 - heavy

    return open_ledger(settings)
