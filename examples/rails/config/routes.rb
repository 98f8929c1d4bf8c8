# frozen_string_literal: true

Rails.application.routes.draw do
  root "pages#home"
  get "login", to: "logins#new"
  post "login", to: "logins#create"
  match "logout", to: "logins#destroy", via: %i[post delete]
  mount Prebind::Engine => "/prebind"
end
