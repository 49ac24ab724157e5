"""What the sidecar costs: the programs behind `make bench`."""
