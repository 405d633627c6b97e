"""What lies ahead for this patient, how sure are we, and why?"""

from components import desk
from components.panels import patient_board

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    row = patient_board.who(cohort)
    when, unit, decimals = patient_board.header(cohort, outcome, row)
    with desk.fixable():
        view = patient_board.compute(cohort, outcome, row, when, unit)
        patient_board.answer(view, decimals)
        patient_board.trust(view)
    patient_board.values(cohort, row)
