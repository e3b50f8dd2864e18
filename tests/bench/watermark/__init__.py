"""The watermark, measured after everything that can happen to a call: `make bench-watermark`."""
