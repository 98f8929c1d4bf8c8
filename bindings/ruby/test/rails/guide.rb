# frozen_string_literal: true

require_relative "../support"

# The Ruby blocks of rails.md. As in tests/readme, they mean the test's server.
module Guide
  TEXT = File.read("#{ROOT}/bindings/ruby/rails.md")
  MEANT = { "https://chat.example.org/http-bind" => PROSODY.http_url, "example.org" => "localhost" }.freeze
  BLOCKS = TEXT.scan(/^```ruby\n# (.*?)\n(.*?)^```/m).to_h
               .transform_values { |block| block.gsub(Regexp.union(MEANT.keys), MEANT) }.freeze

  def self.run(name)
    TOPLEVEL_BINDING.eval(BLOCKS.fetch(name), "rails.md")
  end
end
