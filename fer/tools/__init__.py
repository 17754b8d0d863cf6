"""Tools for maintainers: benchmarks, measurements and releases of weights."""
