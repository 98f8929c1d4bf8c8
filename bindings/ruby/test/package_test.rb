# frozen_string_literal: true

require "tmpdir"
require_relative "support"
require_relative "signatures"

# What is installed, not what lies in the repository.
class PackageTest < Minitest::Test
  include Signatures

  def test_the_version_is_the_workspaces
    assert_equal File.read("#{ROOT}/Cargo.toml")[/^version = "(.*)"$/, 1], Prebind::VERSION
  end

  def test_a_require_makes_nothing
    script = <<~'RUBY'
      state = -> { [Dir["/proc/self/fd/*"].size, Dir["/proc/self/task/*"].size] }
      before = state.call
      require "prebind"
      Prebind::Client.new("https://chat.example.org/")
      p before == state.call
    RUBY
    assert_equal "true\n", Open3.capture2e(RbConfig.ruby, "-rjson", "-e", script).first
  end

  def test_gem_build_says_how_a_gem_is_built
    said, status = Open3.capture2e("gem", "build", "prebind.gemspec", chdir: "#{ROOT}/bindings/ruby")
    refute_predicate status, :success?
    assert_match(/\Aprebind: .*`rake build`/, said)
    assert_empty Dir["#{ROOT}/bindings/ruby/*.gem"]
  end

  # Where cargo builds: in the folder that the gem is built in, which is cleared then; or where one says.
  def test_where_it_is_built
    { nil => "target", "elsewhere" => "elsewhere" }.each do |given, folder|
      Dir.mktmpdir do |build|
        build = File.realpath(build)
        environment = { "CARGO_TARGET_DIR" => given, "CARGO" => "cargo" }
        system(environment, RbConfig.ruby, "#{ROOT}/bindings/ruby/ext/prebind/extconf.rb", chdir: build, exception: true)
        assert_includes File.read("#{build}/Makefile"), "CARGO_TARGET_DIR = #{build}/#{folder}\n"
        steps, = Open3.capture2("make", "-n", "install", chdir: build)
        assert_includes steps, %(cp "#{build}/#{folder}/release/)
        assert_equal %(rm -rf "#{build}/target"\n), steps.lines.last
      end
    end
  end

  # Every class, method and attribute that is documented has a signature, and the other way round.
  def test_the_signatures_are_complete
    public = Prebind.constants.map { |name| Prebind.const_get(name) }.grep(Module) - [Prebind::Native]
    assert_operator public.size, :>, 15
    assert_signed [Prebind, *public], "prebind.rbs"
  end
end
