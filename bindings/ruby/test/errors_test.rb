# frozen_string_literal: true

require_relative "support"

# What goes wrong is raised as its class, with what that class carries.
class ErrorsTest < Minitest::Test
  parallelize_me!

  SCHEMA = JSON.parse(Prebind::Native.schema)
  CLASSES = Prebind.constants.map { |name| Prebind.const_get(name) }
                   .select { |each| each.is_a?(Class) && each < Prebind::Error }
  FAULTS = Open3.capture2("faults", "list").first.lines.to_h(&:split)

  FAULTS.each do |fault, kind|
    [1, 3].each do |at|
      define_method("test_#{fault}_at_#{at}") { check_fault(fault, kind, at) }
    end
  end

  def test_there_is_a_class_for_each_kind
    assert_equal SCHEMA["errors"].sort, CLASSES.map(&:kind).sort
    CLASSES.each { |each| assert_equal "Prebind::#{each.kind}Error", each.name }
  end

  def test_retry
    answers = %w[no after-config-change fresh-session later].map { |word| Prebind::Error.new(retry: word).retry? }
    assert_equal [false, false, true, true], answers
    assert_equal %w[no configure], [Prebind::Error.new("x").retry, Prebind::Error.new("x").stage]
  end

  def test_an_attribute_that_the_class_has_not
    assert_raises(ArgumentError) { Prebind::AuthError.new("message", field: "url") }
  end

  def test_errors_can_be_sent_to_other_processes
    error = Marshal.load(Marshal.dump(Prebind::HttpError.new("message", stage: "create", status: 404)))
    assert_instance_of Prebind::HttpError, error
    assert_equal ["message", "create", 404], [error.message, error.stage, error.status]
  end

  def test_fail_fast
    Faulty.serve("refused") do |server|
      client = server.client(fail_fast_after: 1, fail_fast_for: 60)
      assert_equal "tcp", assert_raises(Prebind::ConnectError) { login(client) }.phase
      error = assert_raises(Prebind::TimeoutError) { login(client) }
      assert_equal %w[fail-fast later], [error.phase, error.retry]
    end
  end

  def test_where_a_redirect_leads_is_told
    Faulty.serve("redirect-302") do |server|
      error = assert_raises(Prebind::HttpError) { login(server.client) }
      assert_equal 302, error.status
      assert_match %r{\Ahttp://localhost:\d+/elsewhere\z}, error.location
    end
  end

  private

  def login(client)
    client.prebind(ACCOUNT, password: PASSWORD)
  end

  def check_fault(fault, kind, at)
    error = strike(fault, kind == "Timeout" ? 0.6 : 12, at)
    # Interim responses without end may fill a buffer before the time is over.
    assert_includes [kind, ("Protocol" if fault == "endless-interim")], error.kind
    assert_instance_of Prebind.const_get("#{error.kind}Error"), error
    carried = error.instance_variables.map { |name| name[1..].to_sym }
    assert_equal held(error.kind).sort, carried.sort
    shown = [error.message, error.full_message, error.inspect, *carried.map { |name| error.public_send(name) }].join(" ")
    refute_match(/wonder-1|faults-sid/, shown)
  end

  # What errors of a kind have, besides the message; the class tells the kind.
  def held(kind)
    fields = SCHEMA["error"].select { |field| field.fetch("kinds", [kind]).include?(kind) }
    fields.map { |field| field["name"].to_sym } - %i[kind message]
  end

  # What ends by itself may take its time on a busy machine, hence the deadline.
  def strike(fault, deadline, at)
    error = nil
    Faulty.serve(fault, "--at", at.to_s) do |server|
      error = assert_raises(Prebind::Error) { login(server.client(deadline:, fail_fast_after: 0)) }
    end
    error
  end
end
