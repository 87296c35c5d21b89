from collections.abc import Iterator
from typing import Any

class ValidationError(Exception):
    absolute_path: Any

class Draft202012Validator:
    schema: dict[str, Any]
    def __init__(self, schema: dict[str, Any]) -> None: ...
    @classmethod
    def check_schema(cls, schema: dict[str, Any]) -> None: ...
    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...
