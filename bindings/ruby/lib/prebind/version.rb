# frozen_string_literal: true

module Prebind
  # The version of the package.
  VERSION = Native::VERSION
end
