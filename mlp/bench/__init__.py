"""Timing: an epoch of ours against its peers, and what each trick of the fast twin saves."""
