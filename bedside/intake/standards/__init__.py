"""Standards that clinical data travel in: each is read into the cohort folder that everything else comes from."""
