"""What does the model go by, over all of these patients?"""

from components import desk, model_choice
from components.panels import model_lead, reasons_board, reasons_view

cohort = desk.cohort()
outcome = desk.outcome(cohort)

when, unit = reasons_board.header(cohort, outcome)
choice = model_lead.choices(cohort, outcome)
with desk.fixable():
    fitted = model_choice.model(cohort, outcome, choice)
    if fitted is not None:
        found = reasons_view.reasons(cohort, outcome, choice, fitted, when, unit)
        if found is not None:
            reasons_board.answer(found)
            reasons_board.views(found)
