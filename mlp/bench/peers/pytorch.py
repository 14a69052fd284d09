"""PyTorch on the CPU, eager, as its tutorials do it; the elastic net is a term of the loss."""

import torch


def prepare(X, y, order, case):
    """A network, and what trains it; see the package's docstring."""
    torch.manual_seed(0)
    torch.set_num_threads(case["threads"])
    X, y, order = torch.from_numpy(X), torch.from_numpy(y), torch.from_numpy(order)
    first = torch.nn.Linear(X.shape[1], case["d_h"])
    last = torch.nn.Linear(case["d_h"], case["m"])
    net = torch.nn.Sequential(first, torch.nn.ReLU(), last)
    cross_entropy = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=case["eta"])
    l11, l12, l21, l22 = case["lambdas"]

    def penalty():
        W1, W2 = first.weight, last.weight
        on_W1 = l11 * W1.abs().sum() + l12 * W1.square().sum()
        return on_W1 + l21 * W2.abs().sum() + l22 * W2.square().sum()

    def run(n):
        for i in range(0, n, case["K"]):
            batch = order[i : i + case["K"]]
            optimizer.zero_grad()
            loss = cross_entropy(net(X[batch]), y[batch])
            if any(case["lambdas"]):
                loss = loss + penalty()
            loss.backward()
            optimizer.step()

    def parameters():
        W1, b1, W2, b2 = (p.detach().numpy().copy() for p in net.parameters())
        return W1, b1[:, None], W2, b2[:, None]

    return run, parameters
