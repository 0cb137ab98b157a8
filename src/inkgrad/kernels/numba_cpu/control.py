"""The instructions that run others: a list of them, a loop over images, and the point where threads meet."""

import math

from inkgrad.kernels.numba_cpu.native import (
    atomic_add,
    atomic_load,
    atomic_swap,
    call,
    doubles_at,
    floats_at,
    flush_denormals,
    instruction,
    relax,
    restore_floats,
    words_at,
)

__all__ = ["MAILBOX", "each_image", "judge", "lead", "meet", "post", "run", "serve"]

PATIENCE = 500  # turns of waiting before others are let run


@instruction
def run(w):  # type: ignore[no-untyped-def]
    """(count, table): call each (address, words) of the table; numbers below 1.2e-38 count as 0 meanwhile."""
    table = words_at(w[1])
    state = flush_denormals()
    for i in range(w[0]):
        call(table[2 * i], words_at(table[2 * i + 1]))
    restore_floats(state)


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
            relax()
            if turns % PATIENCE == 0 and pause != 0:
                call(pause, state)


# A mailbox: how many tasks were posted and done, whether its thread sleeps, and the task.
POSTED, DONE, ASLEEP, ADDRESS, WORDS = 0, 8, 16, 24, 25
MAILBOX = 32  # words; each counter has a cache line of its own


@instruction
def post(w):  # type: ignore[no-untyped-def]
    """(count, address, mailboxes, words, sleeping): give a task to each helper; sleeping[i]: it must be woken."""
    mailboxes, words, sleeping = words_at(w[2]), words_at(w[3]), words_at(w[4])
    for i in range(w[0]):
        box = words_at(mailboxes[i])
        box[ADDRESS] = w[1]
        box[WORDS] = words[i]
        atomic_add(box, POSTED, 1)
        sleeping[i] = atomic_swap(box, ASLEEP, 0)


@instruction
def lead(w):  # type: ignore[no-untyped-def]
    """(count, address, mailboxes, own words, pause): do one's own task and wait for all helpers."""
    call(w[1], words_at(w[3]))
    mailboxes = words_at(w[2])
    for i in range(w[0]):
        box = words_at(mailboxes[i])
        turns = 0
        while atomic_load(box, DONE) != atomic_load(box, POSTED):
            turns += 1
            relax()
            if turns % PATIENCE == 0 and w[4] != 0:
                call(w[4], box)


@instruction
def serve(w):  # type: ignore[no-untyped-def]
    """(mailbox, turns): do what is posted; returns when nothing came for so many turns, and then sleeps officially.

    A helper that waits awake takes its task at once; the system would need many microseconds to wake it.
    """
    box = words_at(w[0])
    idle = 0
    while idle < w[1]:
        if atomic_load(box, POSTED) != atomic_load(box, DONE):
            call(box[ADDRESS], words_at(box[WORDS]))
            atomic_add(box, DONE, 1)
            idle = 0
        else:
            idle += 1
            relax()
    atomic_swap(box, ASLEEP, 1)
    if atomic_load(box, POSTED) != atomic_load(box, DONE):  # posted in the meantime: whoever takes the mark decides
        w[2] = atomic_swap(box, ASLEEP, 0)
    else:
        w[2] = 0


@instruction
def judge(w):  # type: ignore[no-untyped-def]
    """(threads, squares, losses, go): go = 1 if loss and gradient are finite and all labels in range, else 0."""
    squares, losses = words_at(w[1]), words_at(w[2])
    total = 0.0
    right = True
    for t in range(w[0]):
        loss = doubles_at(losses[t])
        total += floats_at(squares[t])[0] + abs(loss[0])
        right = right and loss[1] == 0
    words_at(w[3])[0] = 1 if right and math.isfinite(total) else 0
