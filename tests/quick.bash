# Sourced by tests/run and examples/demo.
# shellcheck shell=bash disable=SC2154 # `root`, the checkout, is theirs

# quickly COMMAND…: what the command compiles for release is optimized a little and linked fast. A package that is
# only tried need not be as fast as one that is published.
quickly() {
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_TARGET_DIR=$root/target/quick "$@"
}
