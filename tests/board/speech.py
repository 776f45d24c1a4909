"""How tests name patrols and changes, as the page does."""

from patrolplan.board.requests import ChangeRequest


def get_slot(duty):
    """What names a patrol in a request."""
    return {"officer": duty.officer, "urn": duty.urn, "date": f"{duty.date}"}


def parse_change(**change):
    """A change as the page asks for it, checked."""
    return ChangeRequest.model_validate({"version": 0, "change": change}).change
