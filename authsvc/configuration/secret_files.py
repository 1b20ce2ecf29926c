"""Secrets from files, as container platforms provide them: NAME_FILE is the path of a file with the value of NAME."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from authsvc.configuration.errors import stop


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings: reads the file that NAME_FILE names, for each of `names`."""

    def __init__(
        self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None], names: Sequence[str]
    ) -> None:
        super().__init__(settings_cls)
        self.variables = variables
        self.names = names

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        name = field_name.upper()
        path = self.variables.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        if self.variables.get(name):
            stop([("E006", f"{name} and {name}_FILE are both set.")])
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            stop([("E006", f"{name}_FILE cannot be read: {error}.")])

    def __call__(self) -> dict[str, Any]:
        read = {name: self.get_field_value(None, name)[0] for name in self.names}
        return {name: value for name, value in read.items() if value is not None}
