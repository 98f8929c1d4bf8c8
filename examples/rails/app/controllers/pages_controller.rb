# frozen_string_literal: true

# The site's one page.
class PagesController < ApplicationController
  def home
    redirect_to login_path unless person
  end
end
