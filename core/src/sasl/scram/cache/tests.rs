//! Tests of who gets which keys, and when keys are dropped.

use std::thread;

use super::*;

const ALICE: Derivation<'_> = Derivation {
    mechanism: "SCRAM-SHA-256",
    user: "alice",
    domain: "example.org",
    password: "wonder-1",
    salt: b"salt",
    iterations: 4096,
};

/// Makes a login. Returns whether its keys had to be derived.
fn login(cache: &ScramCache, derivation: &Derivation<'_>, succeeds: bool) -> bool {
    let mut is_derived = false;
    let derive = || {
        is_derived = true;
        let key = |name: &str| Zeroizing::new([name, derivation.password].concat().into_bytes());
        Ok(Keys { client: key("client"), server: key("server") })
    };
    let lease = cache.lease(derivation, derive).unwrap();
    assert_eq!(*lease.keys().client, [b"client", derivation.password.as_bytes()].concat());
    if succeeds {
        lease.keep();
    }
    is_derived
}

fn named(user: &str) -> Derivation<'_> {
    Derivation { user, ..ALICE }
}

#[test]
fn keys_are_derived_once_while_logins_succeed() {
    let cache = ScramCache::new(2).unwrap();
    assert!(login(&cache, &ALICE, true));
    assert!(!login(&cache, &ALICE, true));
    assert!(!login(&cache.clone(), &ALICE, true), "clones share");
    assert!(login(&ScramCache::new(2).unwrap(), &ALICE, true), "others do not");
}

#[test]
fn any_difference_leads_to_a_new_derivation() {
    let others = [
        Derivation { mechanism: "SCRAM-SHA-512", ..ALICE },
        Derivation { user: "bob", ..ALICE },
        Derivation { domain: "example.com", ..ALICE },
        Derivation { password: "wonder-2", ..ALICE },
        Derivation { salt: b"pepper", ..ALICE },
        Derivation { iterations: 4097, ..ALICE },
        // These have the same letters, divided differently.
        Derivation { user: "aliceexample", domain: ".org", ..ALICE },
        Derivation { password: "wonder-1s", salt: b"alt", ..ALICE },
    ];
    for other in others {
        let cache = ScramCache::new(10).unwrap();
        login(&cache, &ALICE, true);
        assert!(login(&cache, &other, false));
        assert!(!login(&cache, &ALICE, true), "a login of somebody else that fails changes nothing");
    }
}

#[test]
fn only_the_newest_keys_of_a_user_are_kept() {
    let cache = ScramCache::new(10).unwrap();
    let salted_anew = Derivation { salt: b"pepper", ..ALICE };
    login(&cache, &ALICE, true);
    login(&cache, &salted_anew, true);
    assert!(login(&cache, &ALICE, false));
    assert_eq!(cache.entries().unwrap().len(), 1);
}

#[test]
fn a_failed_login_leaves_nothing() {
    let cache = ScramCache::new(10).unwrap();
    assert!(login(&cache, &ALICE, false));
    assert!(login(&cache, &ALICE, true));
    assert!(!login(&cache, &ALICE, false));
    assert_eq!(cache.entries().unwrap().len(), 0);
    assert!(login(&cache, &ALICE, true));
}

#[test]
fn the_user_who_logged_in_longest_ago_is_dropped() {
    let cache = ScramCache::new(2).unwrap();
    for user in ["a", "b", "a", "c"] {
        login(&cache, &named(user), true);
    }
    assert!(!login(&cache, &named("a"), true));
    assert!(!login(&cache, &named("c"), true));
    assert!(login(&cache, &named("b"), true));
}

#[test]
fn a_cache_without_room_keeps_nothing() {
    let cache = ScramCache::new(0).unwrap();
    login(&cache, &ALICE, true);
    assert!(login(&cache, &ALICE, true));
    assert_eq!(cache.entries().unwrap().len(), 0);
}

#[test]
fn no_lock_is_held_while_a_key_is_derived() {
    let cache = ScramCache::new(2).unwrap();
    let lease = cache.lease(&ALICE, || {
        let meanwhile = thread::scope(|scope| scope.spawn(|| login(&cache, &named("bob"), true)).join());
        assert!(meanwhile.unwrap());
        Ok(Keys { client: Key::default(), server: Key::default() })
    });
    lease.unwrap().keep();
    assert!(!login(&cache, &named("bob"), true));
}

/// A forked child finds the lock like this if another thread of its parent held it.
#[test]
fn a_lock_that_is_never_released_is_not_waited_for_long() {
    let cache = ScramCache::new(2).unwrap();
    let _held = cache.0.entries.lock().unwrap();
    assert!(login(&cache, &ALICE, true));
    assert!(login(&cache, &ALICE, true));
}
