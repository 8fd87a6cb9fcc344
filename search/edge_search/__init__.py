"""The workstation: search spaces, the supernet, the search itself, its front, training."""
