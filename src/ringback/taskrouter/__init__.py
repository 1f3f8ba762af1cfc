"""TaskRouter: expressions, workflows, and the choice of the worker for each task; pure."""
