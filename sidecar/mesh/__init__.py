"""The Envoy in front of sidecars: what it is told, who its peers are, how it is drained, and certificates
to try."""
