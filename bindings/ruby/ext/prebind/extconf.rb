# frozen_string_literal: true

# Writes a Makefile that has cargo build the extension, with nothing but what Ruby itself has.

require "rbconfig"

def find_cargo
  folders = ENV["PATH"].to_s.split(File::PATH_SEPARATOR)
  folders << File.join(ENV.fetch("CARGO_HOME") { File.join(Dir.home, ".cargo") }, "bin")
  folders.map { |folder| File.join(folder, "cargo") }.find { |path| File.executable?(path) }
end

cargo = ENV["CARGO"] || find_cargo
abort "prebind needs Rust 1.88 or newer: install it as https://rustup.rs says" unless cargo

header = File.join(RbConfig::CONFIG["rubyhdrdir"], "ruby.h")
abort "prebind needs Ruby's own header files: apt-get install ruby-dev" unless File.exist?(header)

own_target = File.join(Dir.pwd, "target")
target = File.expand_path(ENV.fetch("CARGO_TARGET_DIR", own_target))
is_macos = RbConfig::CONFIG["host_os"].include?("darwin")
# Ruby's symbols come from the interpreter that loads the extension, not from a library.
link = is_macos ? "-- -C link-arg=-undefined -C link-arg=dynamic_lookup" : ""
library = File.join(target, "release", is_macos ? "libprebind_ruby.dylib" : "libprebind_ruby.so")

File.write("Makefile", <<~MAKEFILE)
  sitearchdir = #{RbConfig::CONFIG['sitearchdir']}
  folder = $(DESTDIR)$(sitearchdir)/prebind
  export RUBY = #{RbConfig.ruby}
  export CARGO_TARGET_DIR = #{target}

  all:
  \tcd "#{__dir__}" && "#{cargo}" rustc --release --lib --locked #{link}

  install: all
  \tmkdir -p "$(folder)"
  \tcp "#{library}" "$(folder)/native.#{RbConfig::CONFIG['DLEXT']}"
  \trm -rf "#{own_target}"

  clean:
  \trm -rf "#{own_target}"

  .PHONY: all install clean
MAKEFILE
