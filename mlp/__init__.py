"""A multilayer perceptron with one hidden layer, in numpy alone, equation by equation."""

import numpy as np

# Once a large block was freed, glibc keeps up to twice its size of freed memory. Else each step
# hands its arrays back to the system and has new pages mapped, at the price of the arithmetic.
np.empty(3 * 2**20)
