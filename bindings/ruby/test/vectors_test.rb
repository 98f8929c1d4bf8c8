# frozen_string_literal: true

require_relative "support"

# Every exchange of tests/vectors that can be replayed, byte for byte.
class VectorsTest < Minitest::Test
  parallelize_me!

  listed, = Open3.capture2("faults", "replay", "--list", "tests/vectors", chdir: ROOT)
  CASES = listed.lines.map { |line| JSON.parse(line) }

  CASES.each do |vector|
    define_method("test_#{vector['name']}") { check(vector) }
  end

  def test_all_kinds_a_vector_can_have_are_there
    kinds = CASES.filter_map { |vector| vector.dig("expect", "error", "kind") }.uniq
    assert_empty %w[Auth Bind Config Http Mechanism Protocol Terminated] - kinds
    assert_operator CASES.size, :>, 400
  end

  private

  def check(vector)
    server, result = Faulty.run("replay", vector["case"]) { |running| play(vector, running) }
    assert_equal 0, server.status, server.stderr
    expected = server.output["expect"]
    expected.key?("error") ? check_error(expected["error"], result) : check_session(expected["session"], result)
  end

  def play(vector, server)
    jid, credentials = vector["account"].values_at("jid", "credentials")
    options = vector["config"].except("url").transform_keys(&:to_sym)
    server.client(**options).prebind(jid, **arguments(credentials))
  rescue Prebind::Error => e
    e
  end

  def check_error(expected, error)
    assert_instance_of Prebind.const_get("#{expected['kind']}Error"), error
    assert_equal(expected, expected.to_h { |name, _| [name, error.public_send(name)] })
  end

  def check_session(expected, session)
    assert_instance_of Prebind::Session, session
    got = expected.to_h { |name, _| [name, session.public_send(name)] }
    got["cookies"] = got["cookies"].map { |cookie| %w[name value path].zip(cookie).to_h } if got.key?("cookies")
    assert_equal expected, got
    assert_equal expected.slice("jid", "sid", "rid"), session.as_json
  end

  # The arguments of `Client#prebind` for the credentials of a vector.
  def arguments(credentials)
    credentials.to_h do |name, value|
      value = Prebind.const_get(name.split("_").map(&:capitalize).join).new(**decoded(value)) if value.is_a?(Hash)
      [name.to_sym, value]
    end
  end

  def decoded(fields)
    fields.to_h do |name, value|
      [name.to_sym, %w[hash iterations].include?(name) ? value : value.unpack1("m")]
    end
  end
end
