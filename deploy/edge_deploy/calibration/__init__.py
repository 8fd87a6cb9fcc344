"""Calibration: networks measured on a device, and the predictor of latency that is fitted to them."""
