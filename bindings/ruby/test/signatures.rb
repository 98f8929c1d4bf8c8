# frozen_string_literal: true

# Whether all that is public has a signature, and the other way round.
module Signatures
  LIB = File.dirname($LOADED_FEATURES.grep(%r{/prebind\.rb\z}).first)

  def assert_signed(modules, *files)
    declared = files.map { |file| declared_in(file) }.reduce { |all, more| all.merge(more) { |_, a, b| a + b } }
    modules.each do |each|
      assert_includes declared.keys, each.name
      assert_empty written_in(each) - declared[each.name], each
    end
    declared.each do |name, methods|
      each = Object.const_get(name)
      assert_empty(methods.reject { |method| method == "initialize" || answers?(each, method) }, name)
    end
  end

  private

  # The names of what each module has.
  def declared_in(file)
    open = []
    File.foreach("#{ROOT}/bindings/ruby/sig/#{file}").with_object({}) do |line, declared|
      case line
      when /^ *(?:class|module) (\w+)/ then declared[(open << Regexp.last_match(1)).join("::")] ||= []
      when /^ *end$/ then open.pop
      when /^ *(?:def|alias|attr_\w+) (?:self\.)?(==|\w+[?!]?)/ then declared[open.join("::")] << Regexp.last_match(1)
      end
    end
  end

  # What the gem itself writes, but for `handle`, which is for the gem itself.
  def written_in(each)
    methods = each.public_instance_methods(false).map { |name| each.instance_method(name) }
    methods += each.singleton_methods(false).map { |name| each.method(name) }
    methods.select! { |method| method.source_location&.first.to_s.start_with?(LIB) }
    methods.map { |method| method.name.to_s.sub(/(?<=\w)=\z/, "") }.uniq - %w[handle]
  end

  def answers?(each, method)
    each.public_method_defined?(method) || each.respond_to?(method)
  end
end
