"""What is read of a Boutiques descriptor. Silent about the rest: it is somebody else's document."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from plugin_spec.model import StrictModel

Text = Annotated[str, StringConstraints(max_length=10_000)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Number = int | float


class _Part(StrictModel):
    model_config = ConfigDict(
        extra="ignore", alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )


class BoutiquesInput(_Part):
    """One input: a file, a value or a flag."""

    id: Key
    name: Text
    type: Literal["String", "File", "Flag", "Number"]
    description: Text = ""
    value_key: Key | None = None
    is_list: bool = Field(default=False, alias="list")
    optional: bool = False
    flag: Text = Field(default="", alias="command-line-flag")
    flag_separator: Text = Field(default=" ", alias="command-line-flag-separator")
    default_value: object = None
    value_choices: tuple[str | Number, ...] = ()
    integer: bool = False
    minimum: Number | None = None
    maximum: Number | None = None
    max_list_entries: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _a_flag_has_a_word(self) -> "BoutiquesInput":
        if self.type == "Flag" and not self.flag:
            raise ValueError(f"input {self.id}: a Flag needs its command-line-flag")
        return self


class BoutiquesOutput(_Part):
    """One output file."""

    id: Key
    name: Text
    description: Text = ""
    path_template: Text = ""
    conditional: tuple[object, ...] = Field(default=(), alias="conditional-path-template")
    value_key: Key | None = None
    optional: bool = False
    flag: Text = Field(default="", alias="command-line-flag")
    flag_separator: Text = Field(default=" ", alias="command-line-flag-separator")


class ContainerImage(_Part):
    """The container the tool comes in."""

    type: Text = ""
    image: Text = ""


class EnvironmentVariable(_Part):
    """A variable the tool wants."""

    name: Text
    value: Text


class ErrorCode(_Part):
    """What an exit code of the tool means."""

    code: int
    description: Text = ""


class SuggestedResources(_Part):
    """What the descriptor would give to a run: cores, GB of memory, seconds."""

    cpu_cores: int | None = None
    ram: Number | None = None
    walltime_estimate: Number | None = None


class Group(_Part):
    """Inputs that depend on each other."""

    id: Key
    members: tuple[Key, ...] = ()
    mutually_exclusive: bool = False
    one_is_required: bool = False
    all_or_none: bool = False


class Descriptor(_Part):
    """A descriptor, as far as a manifest has a place for it."""

    name: Key
    tool_version: Text
    description: Text = ""
    author: Text = ""
    command_line: Text
    tool_doi: Text | None = None
    container_image: ContainerImage | None = None
    environment_variables: tuple[EnvironmentVariable, ...] = ()
    inputs: tuple[BoutiquesInput, ...] = Field(min_length=1, max_length=1000)
    output_files: tuple[BoutiquesOutput, ...] = Field(default=(), max_length=1000)
    groups: tuple[Group, ...] = ()
    error_codes: tuple[ErrorCode, ...] = ()
    suggested_resources: SuggestedResources = SuggestedResources()
