"""What lies ahead for this patient, how sure are we, and why?"""

from bedside.errors import Fixable
from components import desk
from components.panels import (
    patient_board,
    patient_estimate,
    patient_header,
    patient_paper,
    patient_sections,
    patient_view,
)

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    row = patient_header.who(cohort)
    asked, tools = patient_header.header(cohort, outcome, row)
    if not patient_estimate.gate(cohort, outcome, row, asked):
        try:
            view = patient_view.compute(cohort, outcome, row, asked)
        except Fixable as stop:
            patient_board.failed(stop, cohort, row)
        else:
            if view is None:
                patient_board.listed(cohort, row)
            else:
                patient_board.draw(view)
                with tools:
                    patient_paper.popover(view)
                patient_sections.draw(view)
                patient_estimate.settled(view)
