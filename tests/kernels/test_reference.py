"""The reference kernels against loops and formulas in plain Python numbers."""

import itertools
import math

import numpy as np
import pytest

import cases
from inkgrad import kernels


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


SCALAR = {
    "identity": lambda v: v,
    "relu": lambda v: v if v > 0 else 0.0,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)) if v > -700 else math.exp(v),
    "tanh": math.tanh,
}
SLOPE = {  # of the output
    "identity": lambda y: 1.0,
    "relu": lambda y: 1.0 if y > 0 else 0.0,
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


@pytest.mark.parametrize("activation", SCALAR)
def test_activation_forward(activation):
    x = np.concatenate([[-800.0, -30.0, -0.0, 0.0, 30.0, 800.0], cases.Draw(activation).normal(20)])
    got = kernels.activation_forward.reference(x, activation)
    assert not np.shares_memory(got, x)
    close(got, [SCALAR[activation](float(v)) for v in x])


@pytest.mark.parametrize("activation", SCALAR)
def test_activation_backward(activation):
    d = cases.Draw(activation)
    y = np.array([0.0, *(SCALAR[activation](float(v)) for v in d.normal(20))])
    g = d.normal(21)
    close(
        kernels.activation_backward.reference(g, y, activation),
        [float(a) * SLOPE[activation](b) for a, b in zip(g, y, strict=True)],
    )


@pytest.mark.parametrize("activation", SCALAR)
@pytest.mark.parametrize("bias", [True, False])
def test_affine_forward(activation, bias):
    d = cases.Draw("affine")
    x, w, b = d.normal(3, 4), d.normal(2, 4), d.normal(2) if bias else None
    got = kernels.affine_forward.reference(x, w, b, activation)
    for n in range(3):
        for o in range(2):
            z = sum(x[n, i] * w[o, i] for i in range(4)) + (b[o] if bias else 0)
            close(got[n, o], SCALAR[activation](z))


def test_cross_entropy_of_labels():
    d = cases.Draw("labels")
    z, labels, weights = d.normal(5, 4), d.labels(5, 4), d.positive(5)
    losses, gradient = kernels.cross_entropy_of_labels.reference(z, labels, weights)
    for n in range(5):
        powers = [math.exp(v) for v in z[n]]
        p = [v / sum(powers) for v in powers]
        close(losses[n], -weights[n] * math.log(p[labels[n]]))
        close(gradient[n], [weights[n] * (p[c] - (c == labels[n])) for c in range(4)])


def test_cross_entropy_of_targets():
    d = cases.Draw("targets")
    z, targets = d.normal(5, 4), d.positive(5, 4)
    losses, gradient = kernels.cross_entropy_of_targets.reference(z, targets)
    for n in range(5):
        powers = [math.exp(v) for v in z[n]]
        p = [v / sum(powers) for v in powers]
        close(losses[n], -sum(targets[n, c] * math.log(p[c]) for c in range(4)))
        close(gradient[n], [p[c] * sum(targets[n]) - targets[n, c] for c in range(4)])


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
def test_ctc_loss(steps, blank):
    """The sum over all alignments, one by one, and what share of it goes through each label at each step."""
    d = cases.Draw(f"ctc {steps} {blank}")
    labels = [label for label in range(3) if label != blank]
    targets = [list(t) for m in range(4) for t in itertools.product(labels, repeat=m)]
    for target in targets:
        z = d.normal(1, 5, 3)
        padded = np.array([[*target, -1, -1]])
        with np.errstate(invalid="ignore"):  # where there is no alignment
            losses, gradient = kernels.ctc_loss.reference(z, padded, np.array([steps]), blank)
        found = cases.alignments(z[0, :steps], target, blank)
        total = math.fsum(math.exp(value) for _, value in found)
        if not found:
            assert losses[0] == np.inf
            continue
        close(losses[0], -math.log(total))
        expected = np.zeros((5, 3))
        for i in range(steps):
            powers = [math.exp(v) for v in z[0, i]]
            for c in range(3):
                share = math.fsum(math.exp(value) for path, value in found if path[i] == c) / total
                expected[i, c] = powers[c] / math.fsum(powers) - share
        close(gradient[0], expected)


def test_ctc_loss_neither_overflows_nor_vanishes():
    z = np.full((1, 40, 3), -1000.0)
    z[:, :, 2] = 1000
    losses, gradient = kernels.ctc_loss.reference(z, np.array([[1, 1]]), np.array([40]), 0)
    close(losses, 40 * 2000 - math.log(math.comb(41, 4)))  # where the two runs of 1 begin and end
    assert np.isfinite(gradient).all()
    close(gradient[..., 2], np.ones((1, 40)))
    np.testing.assert_allclose(gradient.sum(axis=2), 0, atol=1e-10)  # sizes of 80000 leave no more digits


def test_cross_entropy_does_not_overflow():
    z = np.array([[1000.0, 0.0], [-1000.0, 1000.0]])
    losses, gradient = kernels.cross_entropy_of_labels.reference(z, np.array([1, 1]), np.ones(2))
    assert losses.tolist() == [1000, 0]
    assert gradient.tolist() == [[1, -1], [0, 0]]


def test_labels_and_their_one_hot_targets_agree():
    d = cases.Draw("agree")
    z, labels, weights = d.normal(6, 5), d.labels(6, 5), d.positive(6)
    hard = kernels.cross_entropy_of_labels.reference(z, labels, weights)
    soft = kernels.cross_entropy_of_targets.reference(z, np.eye(5)[labels] * weights[:, None])
    close(hard[0], soft[0])
    close(hard[1], soft[1])


def test_gather_scaled():
    d = cases.Draw("gather")
    pixels, indices = d.rng.integers(256, size=(6, 5), dtype=np.uint8), np.array([3, 0, 3, 5])
    scale, shift = 1 / (255 * 0.3081), -0.1307 / 0.3081
    got = kernels.gather_scaled.reference(pixels, indices, scale, shift)
    assert got.dtype == np.float32
    for b, row in enumerate(indices):
        for j in range(5):
            product = np.float32(float(pixels[row, j]) * float(np.float32(scale)))
            assert got[b, j] == np.float32(float(product) + float(np.float32(shift)))


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (4, 3, 2, 5)])
def test_batch_norm(shape):
    d = cases.Draw(f"batch norm {shape}")
    x, gamma, beta, g = d.normal(*shape), d.away(3), d.normal(3), d.normal(*shape)
    y, saved = kernels.batch_norm_forward.reference(x, gamma, beta, 1e-3)
    gradients = kernels.batch_norm_backward.reference(g, gamma, saved)
    for c in range(3):
        values, outer = x[:, c].ravel(), g[:, c].ravel()
        n = len(values)
        mean = math.fsum(values) / n
        variance = math.fsum((v - mean) ** 2 for v in values) / n
        std = math.sqrt(variance + 1e-3)
        hat = [(v - mean) / std for v in values]
        close(saved.mean[c], mean)
        close(saved.variance[c], variance)
        close(saved.inverse_std[c], 1 / std)
        close(saved.normalized[:, c].ravel(), hat)
        close(y[:, c].ravel(), [gamma[c] * h + beta[c] for h in hat])
        close(gradients.beta[c], math.fsum(outer))
        close(gradients.gamma[c], math.fsum(a * h for a, h in zip(outer, hat, strict=True)))
        # dL/dx_i = sum_j g_j gamma d hat_j / dx_i, written out
        for i in range(n):
            total = math.fsum(outer[j] * gamma[c] * ((i == j) - 1 / n - hat[i] * hat[j] / n) / std for j in range(n))
            close(gradients.x[:, c].ravel()[i], total)


@pytest.mark.parametrize("shape, inner", [((5, 3), (3,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,))])
def test_layer_norm(shape, inner):
    d = cases.Draw(f"layer norm {shape}")
    x, gamma, beta, g = d.normal(*shape), d.away(*inner), d.normal(*inner), d.normal(*shape)
    y, saved = kernels.layer_norm_forward.reference(x, gamma, beta, 1e-3)
    gradients = kernels.layer_norm_backward.reference(g, gamma, saved)
    n = math.prod(inner)
    rows, outers = x.reshape(-1, n), g.reshape(-1, n)
    w, b = gamma.ravel(), beta.ravel()
    gamma_gradient, beta_gradient = np.zeros(n), np.zeros(n)
    for r in range(len(rows)):
        mean = math.fsum(rows[r]) / n
        std = math.sqrt(math.fsum((v - mean) ** 2 for v in rows[r]) / n + 1e-3)
        hat = [(v - mean) / std for v in rows[r]]
        close(y.reshape(-1, n)[r], [w[i] * hat[i] + b[i] for i in range(n)])
        gamma_gradient += outers[r] * hat
        beta_gradient += outers[r]
        for i in range(n):
            total = math.fsum(outers[r][j] * w[j] * ((i == j) - 1 / n - hat[i] * hat[j] / n) / std for j in range(n))
            close(gradients.x.reshape(-1, n)[r, i], total)
    close(gradients.gamma.ravel(), gamma_gradient)
    close(gradients.beta.ravel(), beta_gradient)


# Updates, number by number


@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_update(momentum, nesterov):
    d = cases.Draw("sgd")
    w, g, v = d.normal(7), d.normal(7), d.normal(7)
    new_v = [momentum * float(v[i]) + float(g[i]) for i in range(7)]
    direction = [float(g[i]) + momentum * new_v[i] if nesterov else new_v[i] for i in range(7)]
    expected = [float(w[i]) - 0.1 * direction[i] for i in range(7)]
    before = v.copy()
    kernels.sgd_update.reference(w, g, v, 0.1, momentum, nesterov)
    close(w, expected)
    close(v, new_v if momentum else before)


def test_adagrad_update():
    d = cases.Draw("adagrad")
    w, g, s = d.normal(7), d.normal(7), d.positive(7)
    new_s = [float(s[i]) + float(g[i]) ** 2 for i in range(7)]
    expected = [float(w[i]) - 0.1 * float(g[i]) / (math.sqrt(new_s[i]) + 1e-3) for i in range(7)]
    kernels.adagrad_update.reference(w, g, s, 0.1, 1e-3)
    close(w, expected)
    close(s, new_s)


def test_rmsprop_update():
    d = cases.Draw("rmsprop")
    w, g, s = d.normal(7), d.normal(7), d.positive(7)
    new_s = [0.9 * float(s[i]) + 0.1 * float(g[i]) ** 2 for i in range(7)]
    expected = [float(w[i]) - 0.1 * float(g[i]) / (math.sqrt(new_s[i]) + 1e-3) for i in range(7)]
    kernels.rmsprop_update.reference(w, g, s, 0.1, 0.9, 1e-3)
    close(w, expected)
    close(s, new_s)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_adam_update(decay, step):
    d = cases.Draw("adam")
    w, g, m, s = d.normal(7), d.normal(7), d.normal(7), d.positive(7)
    new_m = [0.9 * float(m[i]) + 0.1 * float(g[i]) for i in range(7)]
    new_s = [0.99 * float(s[i]) + 0.01 * float(g[i]) ** 2 for i in range(7)]
    expected = []
    for i in range(7):
        decayed = float(w[i]) - 0.05 * decay * float(w[i])
        m_hat, s_hat = new_m[i] / (1 - 0.9**step), new_s[i] / (1 - 0.99**step)
        expected.append(decayed - 0.05 * m_hat / (math.sqrt(s_hat) + 1e-3))
    kernels.adam_update.reference(w, g, m, s, 0.05, 0.9, 0.99, 1e-3, decay, step)
    close(w, expected)
    close(m, new_m)
    close(s, new_s)
