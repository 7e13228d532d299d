"""How a registration gets from draft to live: the steps, the planner, the recorder, and the runner."""
