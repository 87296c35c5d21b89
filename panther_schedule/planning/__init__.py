"""What happens to a task: pure functions from values to values."""
