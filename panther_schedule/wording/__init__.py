"""What schedules mean, for people."""
