"""Do groups of patients do equally well, and for how long?"""

from components import desk
from components.panels import page, survival_board, survival_choices

everyone, cohort = desk.whole(), desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    choice = survival_choices.choices(everyone, cohort, outcome)
    of = everyone if choice.against else cohort
    groups = survival_board.groups(everyone, cohort, choice)
    curves = survival_board.curves(of, outcome, groups, choice)
    page.title(survival_board.subject(of, outcome, choice), survival_board.aside(curves, groups))
    survival_board.cautions(of, outcome, groups, choice)
    left, right = page.split("survival", 2.1, 1)
    with left:
        survival_board.figure(curves, outcome, choice)
    with right:
        survival_board.answers(of, outcome, groups, curves, choice)
