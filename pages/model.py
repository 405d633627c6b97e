"""What is the model, and how far can it be trusted?"""

from components import desk
from components.panels import model_board

cohort = desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    when, unit = model_board.header(cohort, outcome)
    model = desk.model(cohort, outcome)
    model_board.what(cohort, model)
    model_board.board(cohort, outcome, model, when, unit)
    model_board.recomputed(cohort, outcome, when, unit)
