use super::*;
use crate::learned::Server;

fn config(profile: Option<String>) -> Config {
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    config.profile = profile;
    config
}

fn prosody() -> Learned {
    Learned::new(Server::Prosody, &["SCRAM-SHA-1".to_owned(), "PLAIN".to_owned()])
}

fn recall(memory: &Memory, domain: &str) -> Option<Learned> {
    memory.recall(domain).map(|known| known.learned)
}

fn is_proven(memory: &Memory) -> bool {
    memory.recall("example.org").unwrap().is_proven
}

#[test]
fn what_one_client_learned_another_knows() {
    let memory = Memory::new(&config(None));
    assert_eq!(recall(&memory, "example.org"), None);
    memory.learn("example.org", &prosody(), true);
    let profile = memory.profile();
    assert!(profile.len() < 200 && !profile.contains("chat.example.org"), "{profile}");
    let memory = Memory::new(&config(Some(profile.clone())));
    assert_eq!(recall(&memory, "example.org"), Some(prosody()));
    assert_eq!(recall(&memory, "example.net"), None, "each domain is learned by itself");
    assert_eq!(memory.profile(), profile, "nothing new, nothing to store");
}

#[test]
fn what_failed_is_spared_for_a_while_by_later_processes_too() {
    let mut config = config(None);
    config.relearn_after = Duration::from_secs(2);
    let memory = Memory::new(&config);
    memory.learn("example.org", &prosody(), true);
    memory.distrust("example.org");
    assert_eq!(recall(&memory, "example.org"), None);
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "example.org"), None, "the classic exchange teaches nothing about the plan");
    config.profile = Some(memory.profile());
    assert_eq!(recall(&Memory::new(&config), "example.org"), None);
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(recall(&memory, "example.org"), Some(prosody()));
    // From a clock that was wrong.
    let far = memory.profile().replace("\"classic_until\":", "\"classic_until\":9");
    config.profile = Some(far);
    let memory = Memory::new(&config);
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(recall(&memory, "example.org"), Some(prosody()));
}

#[test]
fn a_profile_of_no_use_is_left_out() {
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
fn the_memory_is_bounded() {
    let memory = Memory::new(&config(None));
    for number in 0..1000 {
        memory.learn(&format!("{number}.example.org"), &prosody(), true);
    }
    assert_eq!(recall(&memory, "0.example.org"), None);
    assert_eq!(recall(&memory, "999.example.org"), Some(prosody()));
    assert!(memory.profile().len() < 10_000);
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
    memory.learn("example.org", &Learned::new(Server::Prosody, &["PLAIN".to_owned()]), false);
    assert!(!is_proven(&memory), "the plan that follows from it has not been tried");
}

#[test]
fn doubts_add_up_until_one_success() {
    let memory = Memory::new(&config(None));
    memory.learn("example.org", &prosody(), true);
    let twice = || (0..2).for_each(|_| memory.doubt("example.org", Failed::ByChance));
    twice();
    memory.learn("example.org", &prosody(), true);
    assert_eq!(recall(&memory, "example.org"), Some(prosody()), "which the classic plan's is not");
    memory.learn("example.org", &prosody(), false);
    twice();
    assert_eq!(recall(&memory, "example.org"), Some(prosody()));
    memory.doubt("example.org", Failed::AtAll);
    assert_eq!(recall(&memory, "example.org"), None, "the classic plan has to tell");
    assert!(!memory.profile().contains("classic_until"));
    memory.learn("example.org", &prosody(), true);
    assert!(memory.profile().contains("classic_until"));
}
