# frozen_string_literal: true

require_relative "site"

# What was learned of the chat server outlives the process.
class MemoryTest < ActionDispatch::IntegrationTest
  include Configured

  # A cache that counts what is written.
  class Counting < ActiveSupport::Cache::MemoryStore
    attr_reader :profiles

    def write(name, value, options = nil)
      (@profiles ||= []) << value if name.include?("profile")
      super
    end
  end

  # A client that learns from what fails.
  class Failing
    def prebind(*, **)
      @known = "it was forgotten"
      raise Prebind::MechanismError, "no longer offered"
    end

    def profile
      @known
    end
  end

  setup { get "/sign_in/alice" }

  test "the next process need not learn" do
    assert_equal 5, round_trips
    reset
    session
    reset
    assert_equal 2, round_trips
  end

  test "another process need not either" do
    Dir.mktmpdir do |folder|
      Prebind.config.cache = ActiveSupport::Cache::FileStore.new(folder)
      Process.wait(fork { session.then { exit!(true) } })
      assert_predicate Process.last_status, :success?
      assert_equal 2, round_trips
    end
  end

  test "only what is new is written" do
    Prebind.config.cache = Counting.new
    4.times { session }
    profiles = Prebind.config.cache.profiles
    assert_equal 2, profiles.uniq.size, "what the first session taught, and that it was true"
    assert_equal profiles.uniq, profiles
    assert_includes profiles.first, "prosody"
    refute_includes profiles.first, Prebind.config.url
  end

  test "what a failure taught is written too" do
    session
    reset
    Prebind::Client.stub(:new, Failing.new) { get "/prebind", headers: SAME_ORIGIN }
    assert_response 503
    reset
    assert_equal "it was forgotten", Prebind.config.memory.recall
  end

  test "what was learned of one server is not believed of another" do
    session
    Prebind.config.url = EJABBERD.http_url
    assert_equal '"domains":[]}', Prebind.config.client.profile[-13..]
  end

  test "an option of the site comes first" do
    session
    reset
    Prebind.config.options = { profile: nil }
    assert_equal 5, round_trips
  end

  test "a cache that is away costs no session, and is asked once in a while" do
    Prebind.config.cache = BrokenCache.new
    2.times { session }
    assert_equal 1, Prebind.config.cache.asked
    assert_match(/the cache failed \(how many sessions .*\): it is not asked again for 10 s: NotImpl/, @logged.string)
    assert_match(/NotImplementedError\n  from .*site\.rb/, @logged.string)
    refute_includes @logged.string, "no cache"
    Prebind.config.store.stub(:now, 10_000) { 2.times { session } }
    assert_equal 2, Prebind.config.cache.asked
  end

  test "a slow cache costs no session, and is left alone for a while" do
    now = 0
    Prebind.config.cache.stub(:increment, ->(*) { (now += 1000) && 2 }) do
      Prebind.config.rate_limit = [1, 60]
      Prebind.config.store.stub(:now, -> { now }) do
        get "/prebind", headers: SAME_ORIGIN
        assert_response 429
        2.times { session }
        assert_equal 1, @logged.string.scan("the cache took 1.0 s (how many sessions").size
        now += 10_000
        get "/prebind", headers: SAME_ORIGIN
        assert_response 429
      end
    end
  end

  test "no cache, or one with something else, is an empty one" do
    Prebind.config.cache = nil
    session
    reset
    assert_equal 5, round_trips

    ["\x00", "\xff", "\xff".b, { "not" => "text" }, "{}"].each do |other|
      Prebind.config.cache = ActiveSupport::Cache::MemoryStore.new
      Prebind.config.cache.write(Prebind.config.memory.send(:key), other)
      reset
      assert_equal 5, round_trips, other
    end
  end

  test "a cache may give texts as binary" do
    session
    cache = Prebind.config.cache
    key = Prebind.config.memory.send(:key)
    cache.write(key, cache.read(key).b)
    reset
    assert_equal 2, round_trips
  end

  private

  # As if it were another process.
  def reset
    config = Prebind.config
    %i[@client @memory].each { |name| config.instance_variable_set(name, nil) }
  end

  # One that a page got, and ended.
  def session
    get "/prebind", headers: SAME_ORIGIN
    assert_response 200
    finish(response.parsed_body)
  end

  # How many a login takes with the client as it is.
  def round_trips
    opened = Prebind.config.client.prebind(ACCOUNT, password: PASSWORD)
    Prebind.config.client.terminate(opened)
    opened.round_trips
  end
end
