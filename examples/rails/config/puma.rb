# frozen_string_literal: true

# Two processes with four threads each, which are forked from one that has everything loaded.
bind "tcp://127.0.0.1:#{ENV.fetch('SITE_PORT', 8000)}"
workers ENV.fetch("SITE_PROCESSES", 2).to_i
threads 4, 4
preload_app!
