"""The instructions that run others: a list of them, a loop over images, and the point where threads meet."""

from inkgrad.kernels.numba_cpu.native import atomic_add, atomic_load, call, instruction, words_at

__all__ = ["each_image", "meet", "run"]


@instruction
def run(w):  # type: ignore[no-untyped-def]
    """(count, table): call each (address, words) of the table."""
    table = words_at(w[1])
    for i in range(w[0]):
        call(table[2 * i], words_at(table[2 * i + 1]))


@instruction
def each_image(w):  # type: ignore[no-untyped-def]
    """(images, count, table, length, words, first, strides): run a table once an image, with words that move on."""
    images, count, length = w[0], w[1], w[3]
    table, words, first, strides = words_at(w[2]), words_at(w[4]), words_at(w[5]), words_at(w[6])
    for image in range(images):
        for k in range(length):
            words[k] = first[k] + image * strides[k]
        for i in range(count):
            call(table[2 * i], words_at(table[2 * i + 1]))


@instruction
def meet(w):  # type: ignore[no-untyped-def]
    """(state, threads, pause): wait until all threads have come here.

    `state` holds how many have come and how often all have met; `pause` is the address of a function that lets
    others run.
    """
    state, threads, pause = words_at(w[0]), w[1], w[2]
    met = atomic_load(state, 1)
    if atomic_add(state, 0, 1) == threads - 1:
        atomic_add(state, 0, -threads)
        atomic_add(state, 1, 1)
    else:
        turns = 0
        while atomic_load(state, 1) == met:
            turns += 1
            if turns % 1000 == 0 and pause != 0:
                call(pause, state)
