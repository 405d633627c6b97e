"""Was I nearer to what happened than the model, or was the model?"""

from components import desk
from components.panels import judgement_board

cohort = desk.cohort()

with desk.fixable():
    judgement_board.show(cohort)
