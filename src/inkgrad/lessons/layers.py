"""The first two layers of every textbook on backpropagation: one multiplies two numbers, one adds them.

Each remembers in `forward` what its `backward` needs, and the caller runs the backwards in reverse order by hand.
`inkgrad.Tensor` does both by itself; these show what it does.
"""

from inkgrad.errors import GraphError

__all__ = ["AddLayer", "MultiplyLayer"]


class MultiplyLayer:
    """z = x y, so dL/dx = dL/dz y and dL/dy = dL/dz x: the inputs change places.

    Attributes:
        x: the first input of the last `forward`, None before.
        y: the second.

    >>> layer = MultiplyLayer()
    >>> layer.forward(100.0, 2.0)
    200.0
    >>> layer.backward(1.0)
    (2.0, 100.0)
    """

    def __init__(self) -> None:
        self.x: float | None = None
        self.y: float | None = None

    def forward(self, x: float, y: float) -> float:
        """The product; remembers both inputs."""
        self.x, self.y = x, y
        return x * y

    def backward(self, gradient: float) -> tuple[float, float]:
        """(dL/dx, dL/dy) from `gradient` = dL/dz.

        Raises:
            GraphError: `forward` was not called before.
        """
        if self.x is None or self.y is None:
            raise GraphError("MultiplyLayer.backward needs the inputs of its forward; call forward(x, y) first")
        return gradient * self.y, gradient * self.x


class AddLayer:
    """z = x + y, so dL/dx = dL/dy = dL/dz: the gradient is passed on as it is, and nothing need be remembered.

    >>> layer = AddLayer()
    >>> layer.forward(200.0, 450.0)
    650.0
    >>> layer.backward(1.1)
    (1.1, 1.1)
    """

    def forward(self, x: float, y: float) -> float:
        """The sum."""
        return x + y

    def backward(self, gradient: float) -> tuple[float, float]:
        """(dL/dx, dL/dy) from `gradient` = dL/dz."""
        return gradient, gradient
