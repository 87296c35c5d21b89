"""A function with its arguments, a schedule and a policy."""
