"""The benchmarks of docs/performance.md: runs, sizes, compare, lists, load, app and pages."""
