"""What schedules and policies are: frozen pydantic models that refuse in our words.

A refusal says `{field} must be {rule}, got {value}; {remedy}`, and has a stable type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self, cast

from pydantic import BaseModel, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from ..errors import type_name


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

    def __init_subclass__(cls, **options: Any) -> None:
        """Mark a class's own `__init__` as one that only names its arguments, so that JSON is read without it."""
        super().__init_subclass__(**options)
        cls.__init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess] - pydantic's own mark

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


def refused(type_: str, message: str) -> PydanticCustomError:
    """Make a refusal; unlike a template of pydantic's, the message may hold braces."""
    return PydanticCustomError(cast(Any, type_), "{message}", {"message": message})


def invalid(type_: str, info: ValidationInfo, rule: str, got: str, remedy: str) -> PydanticCustomError:
    """Make the refusal of a field's value."""
    return refused(type_, f"{info.field_name} must be {rule}, got {got}; {remedy}")


def shown(value: object) -> str:
    """Show a value in a refusal, with its type unless it is plain."""
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    return str(value) if isinstance(value, timedelta) else f"{type_name(value)} {value!r}"


def said(rule: str, remedy: str, *, type_: str | None = None, in_json: str | None = None) -> WrapValidator:
    """Refuse in our words what a type and its constraints refuse; the stable type is `type_`, or the field's name.

    `in_json` is the remedy in JSON, if it differs.
    """

    def check(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        try:
            return handler(value)
        except ValidationError as error:
            fault = error.errors()[0]
        said_rule = rule or fault.get("ctx", {})["expected"]
        told = in_json if in_json is not None and info.mode == "json" else remedy
        raise invalid(type_ or f"{info.field_name}", info, said_rule, shown(fault["input"]), told)

    return WrapValidator(check)


def choice(default: str) -> WrapValidator:
    """Refuse in our words what is none of a `Literal`'s choices."""
    return said("", f"leave it out for {default!r}")
