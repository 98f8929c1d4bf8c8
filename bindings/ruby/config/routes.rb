# frozen_string_literal: true

Prebind::Engine.routes.draw do
  get "chat.js", to: Prebind::Web::Script
  match "chat-login(/:command)", to: Prebind::Web::ChatLogin, via: :all
  root to: Prebind::Web::Endpoint, via: :all
end
