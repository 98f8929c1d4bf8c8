# frozen_string_literal: true

require_relative "support"

# What is installed, not what lies in the repository.
class PackageTest < Minitest::Test
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

  # Every class, method and attribute that is documented has a signature, and the other way round.
  def test_the_signatures_are_complete
    signatures = File.read("#{ROOT}/bindings/ruby/sig/prebind.rbs")
    [Prebind, *classes].each do |each|
      body = each == Prebind ? signatures : signatures[/^  class #{each.name.delete_prefix('Prebind::')}\b.*?^  end/m]
      refute_nil body, each
      declared = body.scan(/(?:def|attr_\w+|alias) (?:self\.)?(\w+[?=]?)/).flatten
      assert_empty methods_of(each).map { |name| name.delete_suffix("=") } - declared, each
    end
    declared = signatures.scan(/^  class (\w+)/).flatten
    assert_empty declared - classes.map { |each| each.name.delete_prefix("Prebind::") }
  end

  private

  def classes
    Prebind.constants.map { |name| Prebind.const_get(name) }.select { |each| each.is_a?(Class) && each < Object }
  end

  def methods_of(each)
    own = each.is_a?(Class) ? each.public_instance_methods(false) : each.singleton_methods(false)
    own.map(&:to_s).grep(/\A[a-z]/) - %w[eql? hash handle yaml_tag]
  end
end
