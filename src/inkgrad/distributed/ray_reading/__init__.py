"""Reading on many machines with Ray: files and folders, here or elsewhere, to a folder of Parquet files.

```
OUT/
  manifest.json              what was asked for, and how far it has come
  manifest/files-00000.parquet   the files that are to be read, a row group for each batch of them
  numbers/part-000000.parquet    what was read, one Parquet file a batch, in the order of the files
  errors/part-000000.parquet     what could not be read, and why
  files/part-000000.parquet      what each file came to; the last of the three, so that a batch is done if it is there
```

A batch has one name and its files are written whole or not at all. So whoever reads it, and however often, the output
holds it once.
"""

from inkgrad.distributed.ray_reading.cluster import require_ray
from inkgrad.distributed.ray_reading.run import Progress, is_finished, read_on_ray
from inkgrad.distributed.ray_reading.storage import absolute
from inkgrad.distributed.ray_reading.worker import Job, SentModel

__all__ = ["Job", "Progress", "SentModel", "absolute", "is_finished", "read_on_ray", "require_ray"]
