"""How does my own file become a cohort?"""

from components.panels import import_board

import_board.show()
