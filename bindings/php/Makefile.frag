# Who builds often has it all in one place.
PREBIND_TARGET = $${CARGO_TARGET_DIR:-target}

# In the package, and in the repository.
PREBIND_CORE = $(wildcard $(srcdir)/library $(srcdir)/../../core)
PREBIND_SOURCES = $(shell find $(srcdir)/lib $(srcdir)/src $(PREBIND_CORE:=/src) -type f) \
	$(wildcard $(srcdir)/Cargo.* $(PREBIND_CORE:=/Cargo.toml)) $(srcdir)/build.rs

# Where cargo puts it and where PHP wants it. Nothing is compiled by who installs what is built.
$(phplibdir)/prebind.so: $(PREBIND_SOURCES)
	PHP=$(PREBIND_PHP) PHP_CONFIG=$(PREBIND_PHP_CONFIG) $(CARGO) build --release --locked --lib \
		--manifest-path $(srcdir)/Cargo.toml --package prebind-php --target-dir $(PREBIND_TARGET)
	@mkdir -p $(phplibdir) $(top_builddir)/modules
	cp $(PREBIND_TARGET)/release/libprebind_php.so $(phplibdir)/prebind.so
