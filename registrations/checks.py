"""System checks: every setting that can be wrong, with a hint that says how to mend it."""
