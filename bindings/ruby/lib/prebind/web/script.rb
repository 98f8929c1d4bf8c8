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
      # What it is sent with.
      HEADERS = {
        "content-type" => "text/javascript; charset=utf-8",
        "cache-control" => "public, max-age=31536000, immutable",
        "x-content-type-options" => "nosniff"
      }.freeze

      # The script, whatever is asked. Caches may share it: the session's cookie does not go with it.
      def self.call(env)
        env["rack.session.options"]&.[]=(:skip, true)
        [200, HEADERS.dup, [CONTENT]]
      end
    end
  end
end
