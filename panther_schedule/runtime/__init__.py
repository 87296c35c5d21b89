"""Threads, workers and the store in memory."""
