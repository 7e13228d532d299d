"""How a registration gets from draft to live: what the steps are, what comes next, who records it, how it runs."""
