"""Plans: a training step or a prediction, traced once and then run as compiled instructions on every thread.

`trace` records the operations that a function calls; `fusion` merges neighbours; each operation's rule (`rules`) emits
instructions of `kernels.numba_cpu` into a `program`, which lays them out for the threads. Whoever adds an operation
writes a function (`autodiff.ops`) and, if it shall be planned, a rule and, where none fits, an instruction.
"""
