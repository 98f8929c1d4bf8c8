# frozen_string_literal: true

Prebind::Engine.routes.draw do
  get "chat.js", to: Prebind::Web::Script
  root to: Prebind::Web::Endpoint, via: :all
end
