"""Whether a network is still what it was when something was made for it."""

from inkgrad.nn.module import Module, changes, modes

__all__ = ["Watch"]


class Watch:
    """Remembers a network: the attributes of its modules, and the mode of each.

    >>> from inkgrad.nn import Linear
    >>> from inkgrad.random import default_rng
    >>> net = Linear(2, 1, rng=default_rng(0))
    >>> watch = Watch(net)
    >>> watch.same(), net.eval() is net and watch.same(), watch.same()
    (True, False, True)
    """

    def __init__(self, net: Module) -> None:
        self._net = net
        self._look()

    def _look(self) -> None:
        self._changes, self._modes = changes(), modes()
        self._flags = [module.training for _, module in self._net.named_modules()]

    def same(self) -> bool:
        """Whether nothing has changed since the last time this was asked, or since the beginning."""
        if changes() == self._changes and modes() == self._modes:
            return True
        before = self._changes, self._flags
        self._look()
        return (self._changes, self._flags) == before
