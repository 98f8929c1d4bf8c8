# frozen_string_literal: true

# What every page has.
class ApplicationController < ActionController::Base
  helper_method :person

  private

  # Who is signed in.
  def person
    @person ||= Person.find(session[:name])
  end
end
