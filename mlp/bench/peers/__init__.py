"""Peers, each as its users run it, in a process that does not know this package.

A file here is a script of its own: it imports its library and nothing of `mlp`. It defines

    prepare(X, y, order, case) -> run, parameters

of the examples X, (n, d), their classes y, (n,), the order of an epoch, and a case: a dictionary of
K, d_h, m, eta, lambdas (four strengths, all 0 without elastic net) and threads. `run(n)` trains on
the first n examples of the order; `parameters()` gives W1, b1, W2, b2 as they are, in the shapes of
`mlp.model.Params`.
"""
