# APScheduler 3.11: only what bench/ and examples/ call
