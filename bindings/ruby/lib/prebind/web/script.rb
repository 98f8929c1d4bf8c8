# frozen_string_literal: true

require "digest"

module Prebind
  module Web
    # The page's script, as a Rack app. It is the same for every language: its source is that of
    # prebind.django, and the gem has a copy.
    module Script
      # The script itself.
      CONTENT = File.read(File.expand_path("chat.js", __dir__), encoding: "UTF-8").freeze
      # Changes with the content, so that browsers may keep it.
      VERSION = Digest::SHA256.hexdigest(CONTENT)[0, 12].freeze

      # The script, whatever is asked. The session's cookie does not go with it. Browsers may keep it under its
      # own version only, since another one's address will have another content.
      def self.call(env)
        env["rack.session.options"]&.[]=(:skip, true)
        headers = Native.web_script_headers(env["QUERY_STRING"] == VERSION)
        [200, headers.transform_keys(&:downcase), [CONTENT]]
      end
    end
  end
end
