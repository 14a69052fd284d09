"""A multilayer perceptron with one hidden layer, in numpy alone, equation by equation."""
