"""The device: export, parity, bundle, runtime, profiler."""
