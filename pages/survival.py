"""Do groups of patients do equally well, and for how long?"""

from components import desk
from components.figures.views import CAUSES
from components.panels import (
    incidence_board,
    page,
    saved_groups,
    states_board,
    survival_answers,
    survival_board,
    survival_choices,
    survival_contrast,
    survival_lead,
    survival_made,
)

everyone, cohort = desk.whole(), desk.cohort()
outcome = desk.outcome(cohort)

with desk.fixable():
    choice = survival_choices.choices(everyone, cohort, outcome)
    choice, groups = survival_board.groups(everyone, cohort, outcome, choice)
    of = survival_board.patients(everyone if choice.against else cohort, outcome, groups, choice)
    curves, answer = survival_board.begin(of, outcome, groups, choice)
    if choice.view == CAUSES and curves:
        left, right = page.split("survival", 2.1, 1)
        incidence_board.show(of, outcome, groups, choice, left, right, answer)
        with left:
            saved_groups.from_survival(of, outcome, choice, () if groups is None else groups.labels)
    else:
        # One row after the other, so that on a narrow screen the figure is followed by what it says.
        left, right = page.split("survival", 2.1, 1)
        with left, desk.fixable():
            survival_board.figure(curves, outcome, choice, survival_made.of_curves(of, outcome, groups, choice))
        with right:
            times = survival_answers.shares(of, outcome, curves, choice)
        with answer:
            survival_lead.told(curves, outcome, choice, times)
        with left:
            saved_groups.from_survival(of, outcome, choice, () if groups is None else groups.labels)
        left, right = page.split("survival_groups", 2.1, 1)
        with left:
            survival_contrast.differences(of, groups, curves, outcome, choice, times)
        with right:
            asked = survival_answers.test(of, outcome, groups, curves, choice)
        survival_contrast.groups_in_numbers(of, outcome, groups, curves, choice)
        if groups is not None and (curves or choice.plan.weights):
            survival_contrast.pairs(of, outcome, groups, choice, asked)
    states_board.show(of, groups, choice)
