"""What a monitoring system reads: `/metrics`."""
