r"""Files that say where the fields of a form are.

A form is a TOML file:

```toml
template = "blank.png"           # optional: the empty form, beside this file; pages are aligned to it before reading

[[field]]
name = "postcode"
box = [0.10, 0.20, 0.30, 0.05]   # left, top, width, height as shares of the page's width and height
expect = '\d{5}'
required = true

[[field]]
name = "amount"
box = [0.55, 0.20, 0.35, 0.05]
amount = true
min_confidence = 0.9

[[field]]
name = "branch"
box = [0.10, 0.40, 0.20, 0.05]
list = "branches.txt"            # a file beside this one, or the entries themselves: ["101", "102"]
```

| key of a field | holds |
|---|---|
| `name` | by which it is called in the output |
| `box` | where it is: left, top, width, height, from 0 to 1; of the template, where there is one |
| `required` | whether an empty field is doubtful; false if left out |
| `min_confidence` | below it the field is doubtful; that of the command line if left out |
| `expect` | a regular expression for the digits, as for `--expect` |
| `list` | all that may stand there, as for `--expect-list`: a file, or the entries |
| `checksum` | its name, as for `--checksum` |
| `date` | the form of a date, as for `--date` |
| `amount` | true for an amount of money, as `--amount` |
"""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inkgrad.errors import OptionError
from inkgrad.reading.expectations import Expected, content_digest
from inkgrad.reading.formats.columns import field_columns

__all__ = ["Field", "Form", "compiled", "read_form"]

_KEYS = ("name", "box", "required", "min_confidence", "expect", "list", "checksum", "date", "amount")
_ROUNDING = 1e-6  # that 0.1 + 0.9 may be past the edge


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        name: by which it is called.
        box: left, top, width, height as shares of the page.
        required: whether it is doubtful when it is empty.
        min_confidence: below it, it is doubtful; None for that of all fields.
        expected: what is to stand there.
    """

    name: str
    box: tuple[float, float, float, float]
    required: bool = False
    min_confidence: float | None = None
    expected: Expected = field(default_factory=Expected)


@dataclass(frozen=True)
class Form:
    """All fields of a form.

    Attributes:
        fields: at least one, in the order of the file.
        template: a picture of the empty form; None if pages are read as they are.
        digest: changes with what the files hold.
        picture: what the template's file holds, for machines that do not have it.
    """

    fields: tuple[Field, ...]
    template: Path | None = None
    digest: str = ""
    picture: bytes | None = None

    @property
    def names(self) -> list[str]:
        """Of the fields, in order."""
        return [field.name for field in self.fields]

    def without_files(self) -> "Form":
        """The same with what its files hold, for machines that do not have them.

        Raises:
            OptionError: one cannot be read.
        """
        fields = tuple(replace(field, expected=field.expected.without_file()) for field in self.fields)
        try:
            picture = None if self.template is None else self.template.read_bytes()
        except OSError as error:
            raise OptionError(f"cannot read {self.template}: {error.strerror or error}; check the path") from error
        return replace(self, fields=fields, picture=picture)


def read_form(path: Path) -> Form:
    """Read and check a form.

    Raises:
        OptionError: it cannot be read, has no fields, names what is not there, or has a field of which a key is
            unknown, missing or of a wrong type, whose box is not on the page, or whose name is taken.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"cannot read the form {path}: {getattr(error, 'strerror', None) or error}; check the path"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"the form {path} is no TOML: {error}") from error
    try:
        unknown = sorted(values.keys() - {"template", "field"})
        if unknown:
            raise OptionError(f"{unknown[0]!r} is no key of a form; there are 'template' and [[field]]")
        fields = _fields(values.get("field", []), path.parent)
        template = _template(values.get("template"), path.parent)
    except OptionError as error:
        raise OptionError(f"the form {path}: {error}") from error
    files = [
        path,
        *([template] if template else []),
        *(f.expected.list for f in fields if isinstance(f.expected.list, Path)),
    ]
    return Form(fields, template, " ".join(map(content_digest, files)))


def compiled(field: Field) -> Any:
    """What the reader takes as the expectation of a field; None if nothing is expected.

    Raises:
        OptionError: it cannot be understood; the message names the field.
    """
    try:
        return field.expected.compiled()
    except OptionError as error:
        raise OptionError(f"field {field.name!r}: {error}") from error


def _template(value: Any, folder: Path) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise OptionError(f"the template must be the name of an image file, but is {value!r}")
    template = folder / value
    if not template.is_file():
        raise OptionError(f"there is no template {template}; give the path of an image as seen from the form's file")
    return template


def _fields(entries: Any, folder: Path) -> tuple[Field, ...]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise OptionError("fields must be tables, each headed by [[field]]")
    if not entries:
        raise OptionError("it has no fields; add one headed by [[field]]")
    fields = tuple(_field(entry, number, folder) for number, entry in enumerate(entries, 1))
    taken = {"file", "page"}
    for one in fields:
        columns = {name for name, _ in field_columns(one.name)}
        if columns & taken:
            raise OptionError(
                f"field {one.name!r}: its column {min(columns & taken)!r} is there already; rename the field"
            )
        taken |= columns
    return fields


def _field(entry: dict[str, Any], number: int, folder: Path) -> Field:
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        came = f"is {name!r}" if "name" in entry else "is missing"
        raise OptionError(f"field number {number}: its name must be a text, but {came}")
    try:
        return _checked(entry, name, folder)
    except OptionError as error:
        raise OptionError(f"field {name!r}: {error}") from error


def _checked(entry: dict[str, Any], name: str, folder: Path) -> Field:
    unknown = sorted(entry.keys() - set(_KEYS))
    if unknown:
        raise OptionError(f"{unknown[0]!r} is no key of a field; there are {', '.join(_KEYS)}")
    for key in ("required", "amount"):
        _demand(isinstance(entry.get(key, False), bool), key, "true or false", entry)
    for key in ("expect", "checksum", "date"):
        _demand(isinstance(entry.get(key, ""), str), key, "a text", entry)
    sure = entry.get("min_confidence")
    _demand(sure is None or (_is_number(sure) and 0 <= sure <= 1), "min_confidence", "a number from 0 to 1", entry)
    expected = Expected(
        expect=entry.get("expect"),
        list=_list(entry, folder),
        checksum=entry.get("checksum"),
        date=entry.get("date"),
        amount=entry.get("amount", False),
    )
    return Field(name, _box(entry), entry.get("required", False), sure, expected)


def _list(entry: dict[str, Any], folder: Path) -> Path | tuple[str, ...] | None:
    value = entry.get("list")
    if isinstance(value, str):
        content_digest(folder / value)  # it can be read
        return folder / value
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    _demand(value is None or texts, "list", "the name of a file, or a list of texts", entry)
    return None if value is None else tuple(value)


def _box(entry: dict[str, Any]) -> tuple[float, float, float, float]:
    value = entry.get("box")
    good = isinstance(value, list) and len(value) == 4 and all(_is_number(share) for share in value)
    _demand(good, "box", "four numbers: left, top, width, height as shares of the page", entry)
    assert isinstance(value, list)
    left, top, wide, tall = map(float, value)
    if not (wide > 0 and tall > 0):
        raise OptionError(f"the box {value} is empty; its width and height must be above 0")
    if min(left, top) < 0 or max(left + wide, top + tall) > 1 + _ROUNDING:
        raise OptionError(
            f"the box {value} is not on the page; left, top, left + width and top + height must be from 0 to 1"
        )
    return left, top, wide, tall


def _demand(good: bool, key: str, what: str, entry: dict[str, Any]) -> None:
    if not good:
        came = f"is {entry[key]!r}" if key in entry else "is missing"
        raise OptionError(f"{key} must be {what}, but {came}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # not NaN
