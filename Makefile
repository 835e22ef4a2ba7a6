# The same recipes for people, README and CI.
.DEFAULT_GOAL := help
CARGO ?= cargo
# Of each target.
FUZZ_SECONDS ?= 60

help: ## List the recipes
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: ## Show lb at work: servers die and come back, then the host with the address does
	@bash tests/setup build
	$(CARGO) build --locked -p lb -p testkit --bins
	@$(CARGO) run --locked -q -p testkit --bin demo

test: ## Set up what is missing, then run every test
	@bash tests/setup
	$(CARGO) build --locked --workspace --all-targets
	$(CARGO) test --locked --workspace --config 'target."cfg(unix)".runner="tests/runner"'

broker: ## Build the broker that some tests kill, in target/tools/bin; takes a quarter of an hour, cmake and pkg-config
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off $(CARGO) install nisshi --version 0.8.1 --locked \
		--ignore-rust-version --no-default-features --features libsql,dynostore \
		--root target/tools --target-dir target/tools/build

check: ## Format, lints and documentation, all warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

bench: ## Measure lb beside nginx stream, HAProxy and keepalived, the line, and the codecs; results in bench/results
	@bash tests/setup
	$(CARGO) build --locked --release -p lb -p smsline -p bench
	$(CARGO) run --locked --release -q -p bench -- $(BENCH_ARGS)

fuzz: ## Look for bytes, calls and texts that break what is in src/wire; FUZZ_SECONDS each
	cd tests/fuzz && $(CARGO) build --locked --release
	mkdir -p target/fuzz/found target/fuzz/corpus/bytes target/fuzz/corpus/sessions target/fuzz/corpus/text
	cd tests/fuzz && for target in bytes sessions text; do \
		$(CARGO) run --locked --release -q --bin $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=9000 \
			-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix=../../target/fuzz/found/$$target- \
			../../target/fuzz/corpus/$$target ../../src/wire/tests/corpus/$$target || exit; \
	done

dist: ## Build the static binaries, in target/dist
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --locked --profile dist -p lb -p smsline --target x86_64-unknown-linux-gnu
	mkdir -p target/dist
	cp target/x86_64-unknown-linux-gnu/dist/lb target/x86_64-unknown-linux-gnu/dist/smsline target/dist/
	@ls -l target/dist/lb target/dist/smsline

.PHONY: help demo test broker check bench fuzz dist
