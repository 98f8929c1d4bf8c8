# frozen_string_literal: true

module Prebind
  # What the browser asks for a session: see {Web::Endpoint}. It has nothing of the site's own
  # controllers, which may redirect who is not logged in.
  class SessionsController < ActionController::Base
    # The endpoint looks for the token itself, and answers with JSON.
    skip_forgery_protection

    # A session for the user who is logged in.
    def show
      answer = Web::Endpoint.new(request) { ours? }.call
      answer.headers.each { |name, value| response.set_header(name, value) }
      render json: answer.content, status: answer.status
    end

    private

    # A site without CSRF tokens is not one that any page may open sessions at.
    def ours?
      protect_against_forgery? ? verified_request? : Web::Guard.same_origin?(request)
    end
  end
end
