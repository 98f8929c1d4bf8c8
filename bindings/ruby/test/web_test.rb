# frozen_string_literal: true

require_relative "support"

# The rules of a site's endpoint, as tests/vectors/web-*.json have them.
class WebTest < Minitest::Test
  NAMES = %w[requests answers cookies pages given cache asked doctor].freeze
  REQUESTS, ANSWERS, COOKIES, PAGES, GIVEN, CACHE, ASKED, DOCTOR = NAMES.map do |name|
    JSON.parse(File.read("#{ROOT}/tests/vectors/web-#{name}.json"))
  end
  # What each refusal is answered with.
  REFUSALS = ANSWERS["answers"].to_h { |row| [row["outcome"]["refused"], row] }.freeze

  REQUESTS["requests"].each do |row|
    define_method("test_request_#{row['name']}") do
      request = Prebind::Native::WebRequest.new(*asked(row))
      signed_in, jid = REQUESTS.merge(row).values_at("signed_in", "jid")
      answer = request.refusal(signed_in) || request.refusal_of(jid)
      row["refusal"] ? assert_answer(REFUSALS.fetch(row["refusal"]), answer) : assert_nil(answer)
      assert_equal row["full_jid"], request.full_jid(jid) if row["full_jid"]
      assert_complaint(row["complaint"], request) if row.key?("complaint")
    end
  end

  ANSWERS["answers"].each do |row|
    define_method("test_answer_#{row['name']}") do
      answer = answer_to(row["outcome"])
      next assert_answer(row, answer) if answer

      assert_includes(REQUESTS["requests"].map { |asked| asked["refusal"] }, row["outcome"]["refused"])
    end
  end

  COOKIES["rows"].each do |row|
    define_method("test_cookies_#{row['name']}") do
      bosh_url, cookies = COOKIES.merge(row).values_at("bosh_url", "cookies")
      request = Prebind::Native::WebRequest.new(*asked(row, COOKIES))
      assert_equal row["set"], request.cookies(bosh_url, cookies.map(&:values))
    end
  end

  PAGES["pages"].each do |row|
    define_method("test_page_#{row['name']}") do
      data, rest = page(row).split("</script>\n", 2)
      assert_equal row["rest"], rest
      # Not `assert_equal`, which takes no nil.
      assert_equal [row["settings"]], [JSON.parse(data.split(">", 2).last)]
    end
  end

  GIVEN["values"].each do |row|
    define_method("test_given_#{row['name']}") do
      complaint = row["complaint"]&.gsub(/{(\w+)}/) { GIVEN["words"]["ruby"].fetch(Regexp.last_match(1)) }
      told = Prebind::Native.web_given(row["given"], GIVEN["called"], row["value"])
      # Not `assert_equal`, which takes no nil.
      assert_equal [complaint && "#{GIVEN['called']}: #{complaint}"], [told]
    end
  end

  ASKED["questions"].each do |row|
    define_method("test_asked_#{row['name']}") do
      question = chat_server_asks(row)
      no = row["answer"]
      form, = no.split("-")
      assert_equal [next_of(row), row["refusal"]], [[question.next, question.entry, question.user], question.refusal(false)]
      assert_told no, question.answer(false, nil)
      assert_told question.next == "refuse" ? no : "#{form}-yes", question.answer(true, nil)
      assert_told "#{form}-broken", question.broken
      assert_equal [row["complaint"]], [question.complaint(false, nil)] if row.key?("complaint")
    end
  end

  ASKED["floods"].each do |row|
    define_method("test_flood_#{row['name']}") do
      question = chat_server_asks(row)
      count = row["count"]
      assert_told row["answer"], question.answer(false, count)
      assert_equal [row["complaint"], row["counter"].values], [question.complaint(false, count), question.counter(false)]
    end
  end

  DOCTOR["findings"].each do |row|
    define_method("test_doctor_#{row['name']}") do
      line = row["line"].gsub(/{(\w+)}/) { DOCTOR["words"]["ruby"].fetch(Regexp.last_match(1)) }
      found = Prebind::Native.web_doctor(*row.values_at("check", "outcome", "words", "milliseconds"))
      assert_equal [row["grade"], line], found
    end
  end

  def test_what_the_doctor_looks_at
    assert_equal DOCTOR["checks"], Prebind::Native::WEB_CHECKS
    DOCTOR["unmet"].each do |row|
      # Not `assert_equal`, which takes no nil.
      assert_equal [row["line"]], [Prebind::Native.web_unmet(row["check"], row["wrong"])], row.to_s
    end
    assert_raises(ArgumentError) { Prebind::Native.web_doctor("end", "made", {}, nil) }
    assert_raises(Prebind::ConfigError) { Prebind::Native.web_unmet("ends", []) }
  end

  def test_what_a_site_gives_may_be_of_any_class
    told = ->(given, value) { Prebind::Native.web_given(given, "own", value) }
    assert_match(/\Aown: returned an Object; /, told["jid", Object.new])
    assert_match(/\Aown: returned a Symbol; /, told["jid", :alice])
    assert_equal "own: password is a Proc; it has to be text", told["credentials", { password: -> {} }]
    assert_nil told["credentials", { "password" => :secret, fast_token: nil }]
    assert_nil told["extras", %i[wait last_rid]]
    assert_match(/\Aown: is an Array; /, told["rate_limit", [30, 2**70]])
    circle = []
    circle << circle
    assert_match(/\Aown: returned an Array; /, told["credentials", circle])
    assert_raises(ArgumentError) { told["passwords", nil] }
  end

  def test_a_name_that_is_misspelt
    GIVEN["names"].each do |row|
      told = Prebind::Native.web_misnamed(*row.values_at("called", "sort", "misnamed", "known"))
      assert_equal [row["complaint"]], [told]
    end
  end

  def test_users_who_share_an_account
    jids = ["alice@localhost", "", "strauß@localhost"]
    assert_nil Prebind::Native.web_sharing(jids)
    assert_equal [2, 3], Prebind::Native.web_sharing([*jids, "Strauss@localhost"])
  end

  # Names that fold to others.
  def test_a_name_that_looks_like_another
    rows = JSON.parse(File.read("#{ROOT}/tests/vectors/jids.json"))["escape"]
    rows = rows.select { |row| %w[capital full-width decomposed composed].include?(row["name"]) }
    assert_equal 4, rows.size
    rows.each do |row|
      made = -> { Prebind.jid_from_user(row["unescaped"], "localhost") }
      next assert_equal("#{row['escaped'].downcase}@localhost", made.call) if row["escaped"]

      assert_equal "jid", assert_raises(Prebind::ConfigError, &made).field
    end
  end

  def test_settings_that_no_chat_server_could_ask_with
    ASKED["settings_refused"].each do |row|
      assert_equal row["field"], assert_raises(Prebind::ConfigError, row["name"]) { chat_server_asks(row) }.field
    end
  end

  def test_the_names_that_a_site_must_not_set
    PAGES["reserved"].each do |row|
      assert_equal row["names"], Prebind::Native.web_reserved(JSON.generate(row["settings"]), row["assets"])
    end
  end

  def test_a_page_that_cannot_work
    PAGES["refused"].each do |row|
      assert_equal row["field"], assert_raises(Prebind::ConfigError) { page(row) }.field
    end
  end

  def test_the_script_is_kept_under_its_own_version_only
    ANSWERS["scripts"].each do |row|
      assert_equal row["headers"], Prebind::Native.web_script_headers(row["is_own_version"])
    end
  end

  def test_a_cache_that_is_away_is_left_alone
    cache = Prebind::Native::WebCache.new
    CACHE["questions"].each do |row|
      asked, answered, failure = row.values_at("asked", "answered", "failure")
      assert_equal !answered.nil?, cache.asked?(asked), row["name"]
      # Not `assert_equal`, which takes no nil.
      assert_equal [row["said"]], [cache.answered(asked, answered, CACHE["question"], failure)], row["name"] if answered
    end
  end

  private

  def asked(row, file = REQUESTS)
    file["request"].merge(row.fetch("request", {})).values_at(*%w[method scheme host port headers query])
  end

  def chat_server_asks(row)
    settings = ASKED["settings"].merge(row.fetch("settings", {}), row.slice("addresses"))
    asked = ASKED["inquiry"].merge(row.fetch("inquiry", {}))
    given = asked.values_at(*%w[method path query address body])
    Prebind::Native::WebAsked.new(settings, given, asked["headers"], row.fetch("now", ASKED["now"]))
  end

  # What has to be found out, and what for.
  def next_of(row)
    step = row["next"]
    return [step, nil, nil] if step.is_a?(String)

    once, exists = step.values_at("once", "exists")
    once ? ["once", once.values, nil] : ["exists", nil, exists.values_at("user", "jid")]
  end

  def assert_told(name, answer)
    assert_equal ASKED["answers"][name].values_at("status", "headers", "body"), answer
  end

  def answer_to(outcome)
    failed = outcome["failed"]
    return Prebind::Native.web_granted(JSON.generate(outcome["granted"])) if outcome["granted"]
    return Prebind::Native.web_failed(*failed.values_at("kind", "retry", "retry_after")) if failed
    return Prebind::Native.web_broken if outcome["broken"]

    return Prebind::Native.web_rate_limited(outcome["wait"]) if outcome["wait"]

    Prebind::Native.web_sign_in_again if outcome["refused"] == "SignInAgain"
  end

  def page(row)
    given = PAGES["page"].merge(row["page"])
    fields = given.values_at(*%w[jid endpoint bosh_url script assets nonce])
    Prebind::Native.web_page([*fields, JSON.generate(given["settings"])])
  end

  def assert_answer(expected, answer)
    status, headers, body = answer
    assert_equal expected.values_at("status", "headers", "body"), [status, headers, JSON.parse(body)]
  end

  def assert_complaint(expected, request)
    complaint = request.complaint(REQUESTS["bosh_url"], REQUESTS["setting"])
    expected ? assert_equal(expected, complaint) : assert_nil(complaint)
  end
end
