"""The figures of `docs/benchmarks.md`: `python -m bench` measures them, as ratios in one run where there is a rival."""
