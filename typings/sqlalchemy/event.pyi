from collections.abc import Callable
from typing import Any

def listen(target: object, identifier: str, fn: Callable[..., Any]) -> None: ...
