#!/bin/sh
# Pins the development dependencies, with every extra that tests use. Spark is apart: it is large and needs a JVM.
set -eu
cd "$(dirname "$0")/.."
common="--quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate"
extras="--extra all --unsafe-package lastro --unsafe-package pip --unsafe-package setuptools"
"$1/pip-compile" $common $extras --output-file requirements/dev.lock pyproject.toml requirements/dev.in
"$1/pip-compile" $common --constraint requirements/dev.lock --extra spark --output-file requirements/spark.lock pyproject.toml
