"""One of several processes that share a study: `shared_worker.py STORAGE FOLDER TRIALS EPOCHS [SEARCH...]`."""

import sys

from inkgrad.data import Splits, load_digits
from inkgrad.training import Settings, Tuning, TuningSettings
from inkgrad.training.tuning import Storage

SEARCH = ("learning_rate=1e-3..1:log", "batch_size=25,50")


def tuning(storage, folder, trials, epochs, *search, pruner="none", **options):
    train, test = load_digits()
    splits = Splits(train[:200], train[200:260], test[:60])
    base = Settings(model="two-layer", hidden=(8,), epochs=epochs, batch_size=50, seed=3)
    settings = TuningSettings(base, search or SEARCH, "accuracy", pruner)
    options = {"checkpoint_seconds": 0.1, "storage": storage and Storage(storage, beat_seconds=1)} | options
    return Tuning(folder, settings, splits, trials=trials, **options)


if __name__ == "__main__":
    tuning(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:]).run()
