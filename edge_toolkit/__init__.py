"""The language that every room speaks: architectures, layers, devices, costs, data, models, files, reports."""

__version__ = "0.1.0"
