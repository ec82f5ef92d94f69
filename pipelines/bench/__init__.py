"""The benchmarks of the README: of the pipeline (runs), of the screens with people at work (app), and of every page over a long past (pages)."""
