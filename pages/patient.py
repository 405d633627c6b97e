"""What lies ahead for this patient, how sure are we, and why?"""

from components import desk
from components.panels import patient_beside, patient_board, patient_estimate, patient_view

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    row = patient_board.who(cohort)
    asked = patient_board.header(cohort, outcome, row)
    if not patient_estimate.gate(cohort, outcome, row, asked):
        with desk.fixable():
            view = patient_view.compute(cohort, outcome, row, asked)
            if view is not None:
                patient_board.answer(view)
                with desk.fixable():
                    patient_beside.beside(view)
        patient_board.listed(cohort, row)
