"""JAX on the CPU: a jitted step for each minibatch, or the whole epoch as one jitted scan."""

import functools
import math
import os

import jax
import jax.numpy as jnp
import numpy as np


def limit(threads):
    """Use so many processors at most: JAX has as many threads as it finds processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def initial(d, case):
    """Parameters as the assignment draws them, in single precision."""
    limit(case["threads"])
    rng = np.random.default_rng(0)

    def uniform(n_out, n_c):
        bound = 1 / math.sqrt(n_c)
        return jnp.array(rng.uniform(-bound, bound, (n_out, n_c)).astype(np.float32))

    d_h, m = case["d_h"], case["m"]
    return uniform(d_h, d), jnp.zeros((d_h, 1)), uniform(m, d_h), jnp.zeros((m, 1))


def risk(params, x, y, lambdas):
    """The mean loss of a minibatch, examples in rows of x, with the elastic net."""
    W1, b1, W2, b2 = params
    hs = jax.nn.relu(x @ W1.T + b1.T)
    oa = hs @ W2.T + b2.T
    chosen = jnp.take_along_axis(oa, y[:, None], axis=1)[:, 0]
    loss = (jax.nn.logsumexp(oa, axis=1) - chosen).mean()
    if not any(lambdas):
        return loss
    l11, l12, l21, l22 = lambdas
    loss += l11 * jnp.abs(W1).sum() + l12 * jnp.square(W1).sum()
    return loss + l21 * jnp.abs(W2).sum() + l22 * jnp.square(W2).sum()


def step(params, X, y, batch, case):
    """The parameters after the step of one minibatch."""
    gradient = jax.grad(risk)(params, X[batch], y[batch], case["lambdas"])
    return jax.tree.map(lambda p, g: p - case["eta"] * g, params, gradient)


def prepare_step(X, y, order, case):
    """A jitted step; see the package's docstring."""
    params, X, y, K = initial(X.shape[1], case), jnp.array(X), jnp.array(y), case["K"]
    jitted = jax.jit(functools.partial(step, case=case), donate_argnums=0)

    def run(n):
        nonlocal params
        for i in range(0, n, K):
            params = jitted(params, X, y, order[i : i + K])
        jax.block_until_ready(params)

    return run, lambda: tuple(map(np.array, params))


def prepare_scan(X, y, order, case):
    """A jitted scan over all minibatches; see the package's docstring."""
    params, X, y, K = initial(X.shape[1], case), jnp.array(X), jnp.array(y), case["K"]

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(params, X, y, batches):
        def following(params, batch):
            return step(params, X, y, batch, case), None

        return jax.lax.scan(following, params, batches)[0]

    def run(n):
        nonlocal params
        params = jax.block_until_ready(epoch(params, X, y, order[:n].reshape(-1, K)))

    return run, lambda: tuple(map(np.array, params))
