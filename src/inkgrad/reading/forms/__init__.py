"""Forms: fields in known places of a page, one row a page."""

from inkgrad.reading.forms.file import Field, Form, read_form

__all__ = ["Field", "Form", "read_form"]
