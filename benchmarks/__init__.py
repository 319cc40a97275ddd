"""The benchmarks: named workloads over prolly and its rivals, one command to run them.

``python -m benchmarks run`` measures, ``compare`` sets two revisions of the project
side by side, ``report`` writes the page with tables and plots. Each measurement has a
process of its own; a result says machine, seed, sizes, versions, commit and command.
Nothing of the library imports this package.
"""
