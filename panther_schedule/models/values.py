"""What schedules and policies are: frozen pydantic models that refuse in our words.

A refusal says `{field} must be {rule}, got {value}; {remedy}`, and has a stable type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, LiteralString, Self, TypeVar, get_args

from pydantic import BaseModel, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from ..errors import type_name

_Function = TypeVar("_Function", bound=Callable[..., None])


def base_init(init: _Function) -> _Function:
    """Mark a model's own `__init__` as one that only names its arguments.

    Without the mark pydantic would call it while it validates JSON, and check what JSON says as Python values.
    """
    init.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess] - pydantic's own mark
    return init


def _tidy(schema: dict[str, Any]) -> None:
    """Drop titles, which only repeat the names, and require `kind`, which JSON can't do without."""
    fields = schema["properties"]
    for field in fields.values():
        field.pop("title", None)
    if "kind" in fields:
        fields["kind"].pop("default", None)
        schema["required"] = ["kind", *(name for name in schema.get("required", ()) if name != "kind")]


class Value(BaseModel, frozen=True, extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy):
    """A frozen value, as schedules and policies are."""

    def _validate(self, **fields: Any) -> None:
        """Set the fields; `super().__init__` would pack them anew at each level of classes."""
        self.__pydantic_validator__.validate_python(fields, self_instance=self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 - pydantic's signature
        """Return a copy with some fields changed; unlike pydantic's own, the changes are validated."""
        return type(self).model_validate({**self._given(), **(update or {})})

    def _given(self) -> dict[str, Any]:
        """Return the fields that were given, with their values; the others keep their defaults."""
        return {name: value for name, value in self if name in self.model_fields_set}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the fields that differ from their defaults, so that a repr reads as it would be written."""
        fields = type(self).model_fields
        return [(name, value) for name, value in self if value != fields[name].default]


def invalid(type_: LiteralString, info: ValidationInfo, rule: str, got: str, remedy: str) -> PydanticCustomError:
    """Make the refusal of a field's value."""
    return PydanticCustomError(
        type_,
        "{field} must be {rule}, got {got}; {remedy}",
        {"field": info.field_name, "rule": rule, "got": got, "remedy": remedy},
    )


def shown(value: object) -> str:
    """Show a value in a refusal, with its type unless it is plain."""
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    return str(value) if isinstance(value, timedelta) else f"{type_name(value)} {value!r}"


def said(type_: LiteralString, rule: str, remedy: str, *, in_json: str | None = None) -> WrapValidator:
    """Refuse in our words what a type and its constraints refuse; `in_json` is the remedy in JSON, if it differs."""

    def check(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        try:
            return handler(value)
        except ValidationError as error:
            got = shown(error.errors()[0]["input"])
        raise invalid(type_, info, rule, got, in_json if in_json is not None and info.mode == "json" else remedy)

    return WrapValidator(check)


def choice(type_: LiteralString, literal: Any) -> WrapValidator:
    """Refuse in our words what is none of a literal's choices; the first is the default."""
    choices = get_args(literal)
    return said(type_, " or ".join(map(repr, choices)), f"leave it out for {choices[0]!r}")
