# frozen_string_literal: true

# Signing in and out.
class LoginsController < ApplicationController
  def new; end

  def create
    found = Person.find(params[:username])
    return render :new, status: 422 unless found&.password?(params[:password])

    reset_session
    session[:name] = found.name
    redirect_to root_path
  end

  def destroy
    reset_session
    redirect_to login_path
  end
end
