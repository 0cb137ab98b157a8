"""The instructions that run others: a list of them, a loop over images, and the point where threads meet."""

import math

from inkgrad.kernels.numba_cpu.native import (
    atomic_add,
    atomic_load,
    atomic_swap,
    call,
    call_with,
    doubles_at,
    floats_at,
    flush_denormals,
    instruction,
    relax,
    restore_floats,
    words_at,
)

__all__ = ["GATE", "MAILBOX", "ask", "each_image", "judge", "lead", "meet", "run", "serve"]

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


# A mailbox: how many tasks were posted and done, whether its thread sleeps, the task, and the lock it sleeps at.
POSTED, DONE, ASLEEP, ADDRESS, WORDS, GATE = 0, 8, 16, 24, 25, 26
MAILBOX = 32  # words; each counter has a cache line of its own


@instruction
def lead(w):  # type: ignore[no-untyped-def]
    """(count, address, mailboxes, words, own words, pause, release): share out a task, do one's own, wait for all.

    All in one call, as Ctrl-C may come between two of Python's steps, and a helper that was told to begin must not be
    left alone. `pause` and `release` are addresses of functions: one lets others run, one opens a lock.
    """
    mailboxes, words = words_at(w[2]), words_at(w[3])
    for i in range(w[0]):
        box = words_at(mailboxes[i])
        box[ADDRESS] = w[1]
        box[WORDS] = words[i]
        atomic_add(box, POSTED, 1)
        if atomic_swap(box, ASLEEP, 0) != 0:
            call_with(w[6], box[GATE], 0)
    call(w[1], words_at(w[4]))
    for i in range(w[0]):
        box = words_at(mailboxes[i])
        turns = 0
        while atomic_load(box, DONE) != atomic_load(box, POSTED):
            turns += 1
            relax()
            if turns % PATIENCE == 0 and w[5] != 0:
                call(w[5], box)


@instruction
def serve(w):  # type: ignore[no-untyped-def]
    """(mailbox, turns, acquire): do what is posted, for ever; sleep at the lock when nothing came for so many turns.

    A helper that waits awake takes its task at once; the system would need many microseconds to wake it.
    """
    box = words_at(w[0])
    idle = 0
    while True:
        if atomic_load(box, POSTED) != atomic_load(box, DONE):
            call(box[ADDRESS], words_at(box[WORDS]))
            atomic_add(box, DONE, 1)
            idle = 0
        elif idle < w[1]:
            idle += 1
            relax()
        else:
            idle = 0
            atomic_swap(box, ASLEEP, 1)
            late = atomic_load(box, POSTED) != atomic_load(box, DONE)
            if not late or atomic_swap(box, ASLEEP, 0) == 0:  # whoever took the mark opens the lock
                call_with(w[2], box[GATE], 1)


@instruction
def ask(w):  # type: ignore[no-untyped-def]
    """(wanted, address): call the function of no words at an address, where wanted."""
    if w[0] != 0:
        call(w[1], w)


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
