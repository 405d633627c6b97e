"""Who does the model fail?"""

from components import desk
from components.panels import audit_board

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    asked = audit_board.choices(cohort, outcome)
    with desk.fixable():
        audit_board.show(cohort, outcome, asked)
