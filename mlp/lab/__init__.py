"""Recorded runs: experiments, searches and averages, each a YAML file in, evidence out."""
