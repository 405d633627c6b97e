"""What lies ahead for this patient, how sure are we, and why?"""

from components import desk
from components.panels import patient_beside, patient_board, patient_trust, patient_view

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    row = patient_board.who(cohort)
    when, unit, decimals = patient_board.header(cohort, outcome, row)
    with desk.fixable():
        view = patient_view.compute(cohort, outcome, row, when, unit)
        if view is not None:
            verdict = patient_board.answer(view, decimals)
            patient_trust.trust(view, verdict)
            with desk.fixable():
                patient_beside.beside(view)
    patient_board.values(cohort, row)
