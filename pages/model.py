"""What is the model, what does it go by, and is anything suspicious in what it learnt from?"""

from components import desk, model_choice
from components.panels import model_data, model_keep, model_lead, model_reasons, model_what, page

cohort = desk.cohort()
outcome = desk.outcome(cohort)
fitted = None

when, unit = model_lead.header(cohort, outcome)
choice = model_lead.choices(cohort, outcome)
with desk.fixable():
    fitted = model_choice.model(cohort, outcome, choice)
    if fitted is not None:
        model_lead.answer(cohort, outcome, choice, fitted, when, unit)
if fitted is None:
    model_data.card(cohort, outcome, choice)
else:
    left, right = page.split("model_first", 1, 1)
    with left:
        model_data.card(cohort, outcome, choice)
    with right:
        model_reasons.card(cohort, outcome, choice, fitted, when, unit)
    model_what.board(cohort, outcome, choice, fitted)
model_keep.board(cohort, outcome, choice, fitted, when, unit)
