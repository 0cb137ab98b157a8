"""`inkgrad serve` with other limits: first a JSON object of them, then as on the command line."""

import functools
import json
import sys

from inkgrad.cli import main
from inkgrad.web import settings

if __name__ == "__main__":
    limits = json.loads(sys.argv.pop(1))
    settings.Limits = functools.partial(settings.Limits, **limits)
    main.main()
