"""Who is in this cohort, how long were they followed, and what is missing?"""

from components import desk
from components.panels import overview_board, page

everyone, cohort = desk.whole(), desk.cohort()
outcome = desk.outcome(cohort)

page.title(everyone.title)
with desk.fixable():
    overview_board.about(everyone, cohort, outcome)
    overview_board.who(cohort)
    overview_board.missing(cohort)
    overview_board.source(everyone)
