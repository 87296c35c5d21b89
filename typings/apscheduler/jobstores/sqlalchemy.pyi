# APScheduler 3.11: only what bench/ and examples/ call
from sqlalchemy import Engine

class SQLAlchemyJobStore:
    def __init__(self, *, engine: Engine) -> None: ...
