"""Proofs for all sizes and all values."""
