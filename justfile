# One verb each. Everything here is a plain command that also works without just.

# Format all code.
fmt:
    cargo fmt --all

# Lints and the shape of the tree; warnings fail.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo xtask tidy

# The tests of the workspace.
test:
    cargo xtask test

# The seeded simulation of journal and broker alone; SEEDS sets how many.
sim:
    cargo test -p testkit --release

# Other people's clients against the release binary; see conformance/README.md.
conformance *SUITES="all":
    cargo build --release
    conformance/run {{SUITES}}

# Side by side with Apache Kafka and the floor; see bench/README.md.
bench *ARGS:
    cargo build --release
    bench/run {{ARGS}}

# Fuzz one target for a minute; needs cargo-fuzz and a nightly toolchain.
fuzz TARGET="request_decode":
    cd fuzz && cargo +nightly fuzz run {{TARGET}} -- -max_total_time=60

# Requests by chance against the broker with this process id, for so many seconds; see fuzz/README.md.
fuzz-live ADDRESS PID SECONDS="60":
    cd fuzz && cargo run --release --example live -- {{ADDRESS}} {{PID}} {{SECONDS}}
