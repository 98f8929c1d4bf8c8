# Who builds often has it all in one place.
PREBIND_TARGET = $${CARGO_TARGET_DIR:-target}

# Where cargo puts it and where PHP wants it.
$(phplibdir)/prebind.so: prebind-cargo
	@mkdir -p $(phplibdir) $(top_builddir)/modules
	cp $(PREBIND_TARGET)/release/libprebind_php.so $(phplibdir)/prebind.so

.PHONY: prebind-cargo
prebind-cargo:
	PHP=$(PREBIND_PHP) PHP_CONFIG=$(PREBIND_PHP_CONFIG) $(CARGO) build --release --locked --lib \
		--manifest-path $(srcdir)/Cargo.toml --package prebind-php --target-dir $(PREBIND_TARGET)
