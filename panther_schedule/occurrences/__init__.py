"""When a schedule happens, in integer microseconds."""
