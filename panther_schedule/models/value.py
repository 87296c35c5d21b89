"""The base of all models: frozen, strict, and with errors in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from pydantic import BaseModel, ValidationError
from typing_extensions import override

from ..errors import refuse_value, type_name
from .faults import MODELS, in_our_words
from .fields import CONSTRUCTED


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

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        if cls.__module__.startswith(f"{__package__}."):
            kind = cls.model_fields.get("kind")
            MODELS[kind.default if kind else cls.__name__.lower()] = cls

    def _validate(self, **fields: Any) -> None:
        """Set the fields; `super().__init__` would pack them anew at each level of classes."""
        try:
            self.__pydantic_validator__.validate_python(fields, self_instance=self, context=CONSTRUCTED)
        except ValidationError as error:
            raise in_our_words(type(self), error) from None

    @classmethod
    @override
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Read a value from a mapping of its fields by the rules of JSON, with errors in our words."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise in_our_words(cls, error) from None

    @classmethod
    @override
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read a value from JSON, as pydantic does, with errors in our words."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            raise in_our_words(cls, error) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 - pydantic's signature
        """Return a copy with some fields changed; unlike pydantic's own, the changes are validated."""
        if not isinstance(cast(object, update), Mapping | None):
            rule, remedy = "a mapping of fields", "write model_copy(update=dict(n=5))"
            refuse_value("model_copy", "update_type", "update", rule, type_name(update), remedy)
        return type(self).model_validate({**self._given(), **(update or {})}, context=CONSTRUCTED)

    if not TYPE_CHECKING:  # checkers know the fields as read-only, and would let this take any value

        def __setattr__(self, name: str, value: object) -> NoReturn:
            raise AttributeError(_frozen(self, name, "set"))

        def __delattr__(self, name: str) -> NoReturn:
            raise AttributeError(_frozen(self, name, "deleted"))

    def _given(self) -> dict[str, Any]:
        """Return the fields that were given; the others keep their defaults."""
        return {name: value for name, value in self if name in self.model_fields_set}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the fields that differ from their defaults, so that a repr reads as it would be written."""
        fields = type(self).model_fields
        return [(name, value) for name, value in self if value != fields[name].default]


def _frozen(value: Value, name: str, done: str) -> str:
    change = f'"{name}": ...' if name in type(value).model_fields else "..."
    return f"a {type(value).__name__} is immutable, so {name} can't be {done}; write model_copy(update={{{change}}})"
