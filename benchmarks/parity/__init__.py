"""Every number of a folder of reference results, recomputed and compared."""
