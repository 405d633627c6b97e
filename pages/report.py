"""What was gathered on the other pages, as one file."""

from components.panels import report_board

report_board.show()
