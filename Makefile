# The verbs of the project; people and CI use the same ones. Prerequisites: Python >= 3.11 and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:  # an environment that was not finished is made again
SHELL := /bin/bash
PYTHON ?= python3
ROUTE ?= auto
VENV := .venv
RUN := $(VENV)/bin/python
export PYTHONPATH := $(CURDIR)
export MPLCONFIGDIR ?= $(CURDIR)/$(VENV)/matplotlib

# One environment in layers; each file of pins leaves a stamp and is installed again when it changes.
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python >= 3.11 is needed; name it, as in: make report PYTHON=python3.12' >&2; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q --python $(PYTHON) $(VENV); else $(PYTHON) -m venv $(VENV); fi

$(VENV)/%.stamp: %.txt | $(RUN)
	@echo "Installing $< into $(VENV)"
	@if command -v uv >/dev/null; then uv pip install -q --python $(RUN) -r $<; else $(RUN) -m pip install -q -r $<; fi
	@touch $@

.PHONY: help
help:  ## list the verbs
	@$(PYTHON) -c 'import re; verbs = re.findall("^([a-z]+):.*## (.*)", open("Makefile").read(), re.M); \
	  print(*(f"  make {verb:11} {text}" for verb, text in verbs), sep="\n")'

# Where there is no Quarto it is tried once, for at most five minutes: it comes from GitHub, which may be out of reach.
$(VENV)/quarto.stamp: $(VENV)/requirements.stamp
	@command -v quarto >/dev/null || [ $(ROUTE) = direct ] || { echo 'Trying to fetch Quarto into $(VENV), once'; \
	  limit=$$(command -v timeout >/dev/null && echo timeout 300); \
	  if command -v uv >/dev/null; then $$limit uv pip install -q --python $(RUN) --no-deps quarto-cli==1.9.38; \
	  else $$limit $(RUN) -m pip install -q --no-deps quarto-cli==1.9.38; fi 2>/dev/null \
	  || echo 'Quarto could not be fetched (`make quarto` tries again); the report is rendered without it.'; }
	@[ $(ROUTE) = direct ] || touch $@

.PHONY: report
report: $(VENV)/quarto.stamp  ## render report.qmd to _output/report.pdf (ROUTE=quarto|direct|auto)
	@$(RUN) -m render --route $(ROUTE) $(addprefix --profile ,$(PROFILE))

.PHONY: quarto
quarto:  ## try again to install the Quarto program, which GitHub must be in reach for
	@rm -f $(VENV)/quarto.stamp
	@$(MAKE) -s $(VENV)/quarto.stamp

.PHONY: preview
preview: $(VENV)/quarto.stamp  ## render again on every save
	@$(RUN) -m render --watch --route $(ROUTE)

.PHONY: test
test: $(VENV)/requirements-dev.stamp  ## run the tests and check every derivation
	@$(RUN) -m derivations; checked=$$?; $(RUN) -m pytest && exit $$checked

.PHONY: derivations
derivations: $(VENV)/requirements.stamp  ## hold the mathematics of report.qmd against what is asked, a line per question
	@$(RUN) -m derivations

.PHONY: check
check: $(VENV)/requirements-dev.stamp  ## lint, types, imports between rooms, and the lint of report.qmd
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(RUN) -m render.lint

.PHONY: data
data: $(VENV)/requirements.stamp  ## find, check or download the data sets
	@$(RUN) -m mlp data

.PHONY: experiments
experiments: $(VENV)/requirements.stamp  ## run every experiments/*.yml that has no finished result
	@for file in experiments/*.yml; do $(RUN) -m mlp train $$file || exit; done

.PHONY: verify
verify: $(VENV)/requirements.stamp  ## run recorded results again, for ten minutes, and compare (FULL=1: wholly)
	@$(RUN) -m mlp verify $(if $(FULL),--full)

$(VENV)/requirements-torch.stamp: $(VENV)/requirements-bench.stamp

.PHONY: bench
bench: $(VENV)/requirements-torch.stamp  ## measure times; writes results/bench/
	@$(RUN) -m mlp bench

.PHONY: handout
handout: $(VENV)/requirements.stamp  ## the students' edition: _output/handout/, and a zip of it
	@$(RUN) -m grading.handout

.PHONY: grade
grade: $(VENV)/requirements.stamp  ## grade this project, or OF=folder, zip or git revision, into _output/grade/
	@$(RUN) -m grading $(OF)

.PHONY: fresh
fresh:  ## check, test and render from nothing, in a fresh clone beside this one
	@folder=$$(mktemp -d ../fresh.XXXXXX); trap "rm -rf $$folder" EXIT; git clone -q . $$folder \
	  && bash $$folder/.ci/run && mkdir -p _output && cp $$folder/_output/report.pdf _output/fresh.pdf \
	  && echo "All of it holds; the report rendered there is _output/fresh.pdf"

.PHONY: submission
submission: $(VENV)/quarto.stamp  ## what a student hands in: PDF and sources, names on top of each, in one zip (FORCE=1)
	@$(RUN) -m render.submission --route $(ROUTE) $(if $(FORCE),--force)

PIN := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
  --custom-compile-command 'make pins' pyproject.toml --extra lab --extra report

.PHONY: pins
pins:  ## write requirements*.txt anew from pyproject.toml (needs uv); a pin that still fits stays
	@$(PIN) -o requirements.txt
	@$(PIN) -o requirements-dev.txt --extra dev
	@$(PIN) -o requirements-bench.txt --extra bench --no-emit-package torch

.PHONY: clean
clean:  ## remove what was made here: environment, output, caches
	rm -rf $(VENV) _output build *.egg-info .quarto .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
