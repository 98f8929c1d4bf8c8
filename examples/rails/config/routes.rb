# frozen_string_literal: true

Rails.application.routes.draw do
  root "pages#home"
  get "login", to: "logins#new"
  post "login", to: "logins#create"
  post "logout", to: "logins#destroy"
  mount Prebind::Engine => "/prebind"
end
