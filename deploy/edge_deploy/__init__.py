"""The device: export, parity, quantisation, bundle, runtime, profiler, calibration."""
