"""Which cohorts are mine, and what did I save of them?"""

from components.panels import library_board

library_board.show()
