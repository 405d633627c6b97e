"""Bedside: cohort survival, individual risk and its reasons, without a screen.

The statistics of the dashboard, usable from a notebook. Nothing here imports
Streamlit or Plotly.
"""

__version__ = "0.1.0"
