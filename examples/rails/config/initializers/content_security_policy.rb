# frozen_string_literal: true

# The strictest policy that Converse.js works under, in the corner of a page.
Rails.application.config.content_security_policy do |policy|
  policy.default_src :none
  # WebAssembly is for OMEMO, which encrypts from end to end.
  policy.script_src "'wasm-unsafe-eval'"
  policy.connect_src :self, Person::BOSH_URL[%r{\Ahttps?://[^/]+}]
  # Converse.js positions its windows with style attributes.
  policy.style_src :self, :unsafe_inline
  policy.img_src :self, :data
  policy.font_src :self
  policy.media_src :self
  policy.manifest_src :self
  policy.form_action :self
  policy.base_uri :none
  policy.frame_ancestors :none
end
Rails.application.config.content_security_policy_nonce_generator = ->(_) { SecureRandom.base64(16) }
Rails.application.config.content_security_policy_nonce_directives = %w[script-src]
