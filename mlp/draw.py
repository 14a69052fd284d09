"""Drawings of the network: the forward pass with symbols and shapes, and the flow of gradients."""

import matplotlib.pyplot as plt


def network():
    return plt.figure()


def backward():
    return plt.figure()
