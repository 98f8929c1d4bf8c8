use std::ops::Range;

use super::*;
use crate::wire::server::Server;

fn config(profile: Option<String>) -> Config {
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    config.profile = profile;
    config
}

fn prosody() -> Learned {
    Learned::new(Server::Prosody, &["SCRAM-SHA-1".to_owned(), "PLAIN".to_owned()])
}

fn recall(memory: &Memory, domain: &str) -> Option<(Server, Vec<String>)> {
    memory.recall(domain).map(|known| known_as(&known.learned))
}

/// The parts that do not depend on where it was learned.
fn known_as(learned: &Learned) -> (Server, Vec<String>) {
    (learned.server(), learned.mechanisms().to_vec())
}

fn is_proven(memory: &Memory) -> bool {
    memory.recall("example.org").unwrap().is_proven
}

/// Changes the memory as if so many seconds had passed.
fn wait(memory: &Memory, seconds: u64) {
    let mut state = memory.state.write().unwrap();
    let domains: Vec<Domain> = state.domains.values().cloned().collect();
    for mut domain in domains {
        domain.classic_until = domain.classic_until.map(|until| until - seconds);
        domain.no_sasl2_until = domain.no_sasl2_until.map(|until| until - seconds);
        domain.no_scram_since = domain.no_scram_since.map(|since| since - seconds);
        state.domains.put(domain.name.clone(), domain);
    }
    state.profile = None;
}

#[test]
fn what_one_client_learned_another_knows() {
    let memory = Memory::new(&config(None));
    assert_eq!(recall(&memory, "example.org"), None);
    memory.learn("example.org", &prosody(), true);
    let profile = memory.profile();
    assert!(profile.len() < 200 && !profile.contains("chat.example.org"), "{profile}");
    let memory = Memory::new(&config(Some(profile.clone())));
    assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())));
    let other = memory.recall("example.net").unwrap();
    assert!(other.is_new && other.learned.mechanisms().is_empty(), "of another domain only the server");
    assert_eq!(memory.profile(), profile, "nothing new, nothing to store");
}

#[test]
fn a_plan_that_failed_is_avoided_for_a_while_by_later_processes_too() {
    let mut config = config(None);
    let memory = Memory::new(&config);
    memory.learn("example.org", &prosody(), true);
    memory.distrust("example.org");
    assert_eq!(recall(&memory, "example.org"), None);
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "example.org"), None, "the classic exchange teaches nothing about the plan");
    config.profile = Some(memory.profile());
    assert_eq!(recall(&Memory::new(&config), "example.org"), None);
    wait(&memory, 5);
    assert_eq!(recall(&memory, "example.org"), None);
    // Such a time comes from a clock that was wrong.
    let far = memory.profile().replace("\"classic_until\":", "\"classic_until\":9");
    config.profile = Some(far);
    let from_the_future = Memory::new(&config);
    assert_eq!(recall(&from_the_future, "example.org"), None);
    wait(&memory, 10);
    wait(&from_the_future, 600);
    for memory in [memory, from_the_future] {
        assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())));
    }
}

/// For how many seconds the short plan is avoided after it failed.
fn avoided_for(memory: &Memory) -> u64 {
    memory.distrust("example.org");
    let until = memory.state.read().unwrap().domains.get("example.org").unwrap().classic_until.unwrap();
    let time = until - now();
    wait(memory, time);
    time
}

#[test]
fn a_plan_that_fails_again_is_avoided_for_longer() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let about = |time: u64, expected: u64| assert!(time.abs_diff(expected) <= 1, "{time}, not {expected}");
    for expected in [9, 18, 37, 75, 150, 300, 600, 600] {
        about(avoided_for(&memory), expected);
    }
    let memory = Memory::new(&config(Some(memory.profile())));
    about(avoided_for(&memory), 600);
    memory.learn("example.org", &prosody(), false);
    about(avoided_for(&memory), 9);
}

fn may_bind_ahead(memory: &Memory) -> bool {
    memory.recall("example.org").unwrap().may_bind_ahead
}

#[test]
fn a_failed_bind_ahead_of_its_turn_is_not_used_until_something_new_is_learned() {
    let ejabberd = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Learned::new(Server::Ejabberd, &names)
    };
    let learned = ejabberd(&["PLAIN"]);
    let mut profile = None;
    for is_mended in [true, false] {
        let memory = Memory::new(&config(None));
        memory.learn("example.org", &learned, true);
        assert!(may_bind_ahead(&memory));
        memory.doubt_ahead("example.org");
        // The same call may do this, or the next one.
        if is_mended {
            memory.learn("example.org", &learned, true);
            memory.distrust("example.org");
        } else {
            memory.doubt("example.org", Failed::ByPlan);
            assert_eq!(memory.recall("example.org"), None, "the next exchange is classic");
            memory.learn("example.org", &learned, true);
        }
        wait(&memory, 600);
        assert!(!may_bind_ahead(&memory));
        memory.learn("example.org", &learned, false);
        memory.doubt_ahead("example.org");
        memory.learn("example.org", &learned, false);
        assert!(!may_bind_ahead(&memory), "what works in turn tells nothing");
        profile = Some(memory.profile());
    }
    let memory = Memory::new(&config(profile));
    assert!(!may_bind_ahead(&memory), "nor does another process try it");
    memory.learn("example.org", &ejabberd(&["PLAIN", "SCRAM-SHA-1"]), false);
    assert!(may_bind_ahead(&memory));
}

#[test]
fn a_bind_ahead_that_works_again_is_not_doubted() {
    let memory = Memory::new(&config(None));
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    memory.learn("example.org", &learned, true);
    memory.doubt_ahead("example.org");
    memory.learn("example.org", &learned, false);
    memory.distrust("example.org");
    wait(&memory, 600);
    assert!(may_bind_ahead(&memory), "another plan failed");
}

#[test]
fn failures_outlast_the_process() {
    let mut profile = None;
    for _ in 0..3 {
        let memory = Memory::new(&config(profile));
        memory.learn("example.org", &prosody(), true);
        assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())));
        memory.doubt("example.org", Failed::ByChance);
        profile = Some(memory.profile());
    }
    assert_eq!(recall(&Memory::new(&config(profile)), "example.org"), None);
}

#[test]
fn an_unusable_profile_is_ignored() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let good = memory.profile();
    let of_another_url = {
        let other = Config::new("https://chat.example.net/http-bind").unwrap();
        Memory::new(&other)
            .profile()
            .replace("[]", "[{\"name\":\"example.org\",\"server\":\"prosody\",\"mechanisms\":[\"PLAIN\"]}]")
    };
    for bad in [
        String::new(),
        "null".to_owned(),
        "{".repeat(100_000),
        good[..good.len() - 2].to_owned(),
        good.replace("\"v\":1", "\"v\":2"),
        good.replace("prosody", "punjab"),
        good.replace("PLAIN", "plain"),
        of_another_url,
    ] {
        let memory = Memory::new(&config(Some(bad.clone())));
        assert_eq!(recall(&memory, "example.org"), None, "{}", &bad[..bad.len().min(200)]);
    }
}

#[test]
fn the_memory_holds_thousands_of_domains_and_forgets_what_is_not_used() {
    let memory = Memory::new(&config(None));
    for number in 0..=MAX_DOMAINS {
        memory.learn(&format!("{number}.example.org"), &prosody(), true);
        assert_eq!(recall(&memory, "0.example.org"), Some(known_as(&prosody())), "this one is in use");
    }
    assert!(memory.recall("1.example.org").unwrap().is_new);
    assert!(!memory.recall("2.example.org").unwrap().is_new);
}

#[test]
fn a_profile_lists_the_same_domains_as_long_as_none_fails() {
    let memory = Memory::new(&config(None));
    let name = |number: usize| format!("{number}.example.org");
    let learn = |numbers: Range<usize>| {
        numbers.for_each(|number| memory.learn(&name(number), &prosody(), true));
        memory.profile()
    };
    let full = learn(0..MAX_LISTED);
    assert_eq!(learn(MAX_LISTED..2 * MAX_LISTED), full, "no new domain pushes another one out");
    memory.distrust(&name(MAX_LISTED));
    let later = Memory::new(&config(Some(memory.profile())));
    assert_eq!(recall(&later, &name(MAX_LISTED)), None, "what a failure taught is told");
    assert!(later.recall(&name(MAX_LISTED - 1)).unwrap().is_new);
    assert!(!later.recall(&name(0)).unwrap().is_new);
}

/// Short-lived processes know only what the profile tells.
#[test]
fn every_sort_of_failure_has_a_place_in_the_profile() {
    let name = |number: usize| format!("{number}.example.org");
    let last = name(MAX_LISTED);
    for fail in [
        |memory: &Memory, domain: &str| memory.doubt(domain, Failed::ByChance),
        |memory: &Memory, domain: &str| memory.distrust(domain),
        |memory: &Memory, domain: &str| memory.leave_sasl2(domain),
        |memory: &Memory, domain: &str| memory.doubt_ahead(domain),
    ] {
        let memory = Memory::new(&config(None));
        (0..=MAX_LISTED).for_each(|number| memory.learn(&name(number), &prosody(), true));
        assert!(!memory.profile().contains(&last));
        fail(&memory, &last);
        assert!(memory.profile().contains(&last));
    }
}

/// Sites compare it with the one that they have stored.
#[test]
fn a_profile_is_in_the_order_in_which_the_domains_were_learned() {
    let names = ["c.example.org", "a.example.org", "b.example.org"];
    let order = |memory: &Memory| {
        let profile = memory.profile();
        let mut found = names.map(|name| (profile.find(name).unwrap(), name));
        found.sort_unstable();
        found.map(|(_, name)| name)
    };
    let memory = Memory::new(&config(None));
    for name in names {
        memory.learn(name, &prosody(), true);
    }
    assert_eq!(order(&memory), names);
    memory.learn(names[0], &plain(), true);
    memory.distrust(names[1]);
    memory.forget(names[2]);
    assert_eq!(order(&memory), names, "whatever becomes of one");
    let later = Memory::new(&config(Some(memory.profile())));
    later.distrust(names[0]);
    assert_eq!(order(&later), names);
}

/// As where a load balancer has moved the URL from one server to another.
#[test]
fn a_new_domain_is_expected_at_the_server_that_was_seen_last() {
    let memory = Memory::new(&config(None));
    let ejabberd = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    memory.learn("example.org", &prosody(), true);
    memory.learn("example.net", &ejabberd, true);
    assert_eq!(recall(&memory, "new.example.org"), Some((Server::Ejabberd, vec![])));
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "new.example.org"), Some((Server::Prosody, vec![])));
    memory.learn("example.org", &Learned::new(Server::Other, &["PLAIN".to_owned()]), true);
    assert_eq!(recall(&memory, "new.example.org"), None);
}

#[test]
fn sasl2_that_was_not_answered_is_left_for_a_while() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    assert!(memory.may_use_sasl2("example.org"));
    memory.leave_sasl2("example.org");
    let later = Memory::new(&config(Some(memory.profile())));
    for memory in [&memory, &later] {
        memory.learn("example.org", &prosody(), true);
        assert!(!memory.may_use_sasl2("example.org") && memory.may_use_sasl2("example.net"));
        wait(memory, 590);
        assert!(!memory.may_use_sasl2("example.org"));
        wait(memory, 10);
        assert!(memory.may_use_sasl2("example.org"));
        memory.learn("example.org", &prosody(), true);
        assert!(!memory.profile().contains("no_sasl2_until"), "it is over, so the profile need not tell");
    }
}

#[test]
fn a_plan_is_proven_by_its_success_until_something_else_is_learned() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let unproven = memory.profile();
    assert!(!is_proven(&memory) && !unproven.contains("proven"), "as older versions wrote it");
    memory.learn("example.org", &prosody(), false);
    let proven = memory.profile();
    memory.learn("example.org", &prosody(), true);
    memory.learn("example.org", &prosody(), false);
    assert_eq!(memory.profile(), proven);
    let [unproven, proven] = [unproven, proven].map(|profile| Memory::new(&config(Some(profile))));
    assert!(!is_proven(&unproven) && is_proven(&proven));
    let changed = Learned::new(Server::Prosody, &["SCRAM-SHA-1".to_owned()]);
    for (memory, is_classic) in [(memory, false), (proven, true)] {
        memory.learn("example.org", &changed, is_classic);
        assert!(!is_proven(&memory), "the plan that follows from it has not been tried");
    }
}

#[test]
fn doubts_add_up_until_one_success() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let twice = || (0..2).for_each(|_| memory.doubt("example.org", Failed::ByChance));
    twice();
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())), "which the classic plan's is not");
    memory.learn("example.org", &prosody(), false);
    twice();
    assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())));
    memory.doubt("example.org", Failed::AtAll);
    assert_eq!(recall(&memory, "example.org"), None, "the classic plan has to tell");
    assert!(!memory.profile().contains("classic_until"));
    memory.learn("example.org", &prosody(), true);
    assert!(memory.profile().contains("classic_until"));
}

#[test]
fn a_profile_is_bounded() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let profile = memory.profile();
    for (length, is_used) in [(MAX_PROFILE, true), (MAX_PROFILE + 1, false)] {
        let padded = [profile.as_str(), &" ".repeat(length - profile.len())].concat();
        assert_eq!(recall(&Memory::new(&config(Some(padded))), "example.org").is_some(), is_used, "{length}");
    }
    for number in 1..MAX_LISTED {
        memory.learn(&format!("{number}.example.org"), &prosody(), true);
    }
    let full = memory.profile();
    assert_eq!(recall(&Memory::new(&config(Some(full.clone()))), "example.org"), Some(known_as(&prosody())));
    let domain = "{\"name\":\"more.example.org\",\"server\":\"other\",\"mechanisms\":[]}";
    let overfull = full.replace("\"domains\":[", &format!("\"domains\":[{domain},"));
    assert_eq!(recall(&Memory::new(&config(Some(overfull))), "example.org"), None);
}

#[test]
fn only_the_named_domain_is_forgotten() {
    let memory = Memory::new(&config(None));
    for domain in ["example.org", "example.net"] {
        memory.learn(domain, &plain(), true);
    }
    memory.forget("example.org");
    assert!(memory.recall("example.org").unwrap().is_new && !memory.recall("example.net").unwrap().is_new);
}

#[test]
fn a_plan_that_never_succeeded_has_no_credit_if_the_call_failed() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    memory.doubt("example.org", Failed::AtAll);
    assert_eq!(recall(&memory, "example.org"), None);
}

fn plain() -> Learned {
    Learned::new(Server::Prosody, &["PLAIN".to_owned()])
}

#[test]
fn scram_is_expected_of_a_server_that_offered_it() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &plain(), true);
    assert!(!memory.expects_scram("example.org") && !memory.expects_scram("example.net"));
    memory.learn("example.org", &prosody(), true);
    assert!(memory.expects_scram("example.org"));
    memory.forget("example.org");
    assert!(memory.expects_scram("example.org"), "whatever else is forgotten");
    assert!(memory.recall("example.org").unwrap().is_new);
    memory.miss_scram("example.org");
    assert_eq!(memory.recall("example.org"), None);
}

#[test]
fn a_step_down_from_scram_is_believed_after_a_while() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    memory.miss_scram("example.org");
    assert_eq!(recall(&memory, "example.org"), None, "nothing is sent before the offer");
    wait(&memory, 300);
    // Neither a login by a token, nor a later failure, nor another process changes that.
    memory.learn("example.org", &plain(), true);
    memory.miss_scram("example.org");
    memory.forget("example.org");
    let later = Memory::new(&config(Some(memory.profile())));
    for memory in [&memory, &later] {
        assert!(memory.expects_scram("example.org"));
        wait(memory, 299);
        assert!(memory.expects_scram("example.org"));
        wait(memory, 1);
        assert!(!memory.expects_scram("example.org"));
    }
    memory.learn("example.org", &plain(), true);
    assert!(!memory.expects_scram("example.org"));
    assert_eq!(recall(&memory, "example.org"), Some(known_as(&plain())));
}

#[test]
fn scram_that_is_offered_again_is_missed_no_longer() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    memory.miss_scram("example.org");
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "example.org"), Some(known_as(&prosody())));
    wait(&memory, 600);
    assert!(memory.expects_scram("example.org"));
}
