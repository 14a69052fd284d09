"""scikit-learn's MLPClassifier, one call of partial_fit; of the elastic net, L2 as on W1 alone."""

from sklearn.neural_network import MLPClassifier


def prepare(X, y, order, case):
    """A network, and what trains it; see the package's docstring."""
    K, (_, l12, _, _) = case["K"], case["lambdas"]
    net = MLPClassifier(
        hidden_layer_sizes=(case["d_h"],),
        solver="sgd",
        momentum=0,
        nesterovs_momentum=False,
        learning_rate_init=case["eta"],
        batch_size=K,
        alpha=2 * l12 * K,  # it adds alpha/(2 K) times the squared weights
        random_state=0,
    )

    def run(n):  # it draws an order of its own
        net.partial_fit(X[:n], y[:n], classes=range(case["m"]))

    def parameters():
        (W1, W2), (b1, b2) = net.coefs_, net.intercepts_
        return W1.T.copy(), b1[:, None].copy(), W2.T.copy(), b2[:, None].copy()

    return run, parameters
