# frozen_string_literal: true

# The workspace's, here and where `rake stage` has put everything together.
manifest = ["#{__dir__}/Cargo.toml", "#{__dir__}/../../Cargo.toml"].find { |path| File.exist?(path) }
workspace = File.read(manifest)

# Bundler may use the repository as it is, but what lies outside of this folder cannot be packed from here.
if ARGV.first == "build" && File.basename($PROGRAM_NAME).start_with?("gem") && !File.directory?("#{__dir__}/core")
  abort "prebind: the library's own source is not in this folder, without which no gem can be built: " \
        "`rake build` puts both together, and prints where the gem is"
end

Gem::Specification.new do |spec|
  spec.name = "prebind"
  spec.version = workspace[/^version = "(.*)"$/, 1]
  spec.summary = workspace[/^description = "(.*)"$/, 1]
  spec.description = "Logs a user of a web site in to an XMPP server, over BOSH, and returns what a " \
                     "chat client in the browser needs to take the session over. With a Rails engine."
  spec.authors = ["The prebind authors"]
  spec.licenses = %w[MIT Apache-2.0]
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir.chdir(__dir__) do
    Dir["{config,core,ext,lib,sig}/**/*", "*.md", "LICENSE-*", "Cargo.*"].select { |path| File.file?(path) }
  end
  spec.extensions = ["ext/prebind/extconf.rb"]
  spec.homepage = workspace[/^homepage = "(.*)"$/, 1]
  spec.metadata = {
    "bug_tracker_uri" => "#{spec.homepage}/issues",
    "changelog_uri" => "#{spec.homepage}/blob/v#{spec.version}/CHANGELOG.md",
    "documentation_uri" => "#{spec.homepage}/blob/v#{spec.version}/bindings/ruby/README.md",
    "rubygems_mfa_required" => "true",
    "source_code_uri" => "#{spec.homepage}/tree/v#{spec.version}"
  }
end
