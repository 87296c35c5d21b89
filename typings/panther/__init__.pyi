# Panther 5.5: only what bench/ calls
