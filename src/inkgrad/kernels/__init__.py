"""Pure functions on raw arrays: the arithmetic that is worth a specification and a fast twin."""

from inkgrad.kernels.reference.activation import activation_backward, activation_forward
from inkgrad.kernels.reference.affine import affine_forward
from inkgrad.kernels.reference.convolution import conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient
from inkgrad.kernels.reference.cross_entropy import cross_entropy_of_labels, cross_entropy_of_targets
from inkgrad.kernels.reference.ctc import ctc_loss
from inkgrad.kernels.reference.dropout import dropout_mask
from inkgrad.kernels.reference.gather import gather_scaled
from inkgrad.kernels.reference.normalization import (
    batch_norm_backward,
    batch_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)
from inkgrad.kernels.reference.pooling import (
    average_pool2d_backward,
    average_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from inkgrad.kernels.reference.update import adagrad_update, adam_update, rmsprop_update, sgd_update
from inkgrad.kernels.reference.warp import warp
from inkgrad.kernels.registry import (
    KERNELS,
    Kernel,
    active_backend,
    implements,
    kernel,
    load_backend,
    use_backend,
)

__all__ = [
    "KERNELS",
    "Kernel",
    "activation_backward",
    "activation_forward",
    "active_backend",
    "adagrad_update",
    "adam_update",
    "affine_forward",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "conv2d_forward",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "cross_entropy_of_labels",
    "cross_entropy_of_targets",
    "ctc_loss",
    "dropout_mask",
    "gather_scaled",
    "implements",
    "kernel",
    "layer_norm_backward",
    "layer_norm_forward",
    "load_backend",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "rmsprop_update",
    "sgd_update",
    "use_backend",
    "warp",
]
