"""Pages with what was read drawn upon them, and the folder that they go to."""

from inkgrad.reading.annotate.drawing import annotated
from inkgrad.reading.annotate.folder import AnnotationFolder, write_annotated

__all__ = ["AnnotationFolder", "annotated", "write_annotated"]
