"""One patient: the risk as frequencies, what stands behind it, similar patients, other values, and visits."""
