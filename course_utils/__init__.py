"""Helpers for the lessons of Picture Machines: data, models, training, metrics, figures and exercise checks."""

__version__ = "0.1.0"
