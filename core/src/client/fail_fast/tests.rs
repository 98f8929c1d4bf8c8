use super::*;
use crate::client::host::Folder;

fn fail_fast(after: u32, pause: Duration) -> FailFast {
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    (config.fail_fast_after, config.fail_fast_for) = (after, pause);
    FailFast::new(&config, None)
}

const MINUTE: Duration = Duration::from_secs(60);

impl FailFast {
    fn is_off(&self) -> bool {
        self.check(Stage::Create, "host").is_err()
    }

    /// Makes a call that ends with this outcome. Returns whether it was admitted.
    fn call(&self, outcome: Outcome) -> bool {
        let admitted = self.admit(Stage::Create, "host");
        admitted.map(|admitted| self.record(admitted, outcome)).is_ok()
    }

    fn calls(&self, outcome: Outcome, count: usize) {
        for _ in 0..count {
            assert!(self.call(outcome));
        }
    }

    /// Changes the state as if this much time had passed.
    fn wait(&self, time: Duration) {
        let earlier = |at: &mut Duration| *at = at.checked_sub(time).unwrap();
        self.known(|state| {
            state.outcomes.iter_mut().for_each(|(at, _)| earlier(at));
            if let Some(off) = &mut state.off {
                earlier(&mut off.until);
                off.probing_since.as_mut().map(earlier);
            }
        });
    }

    /// How long from now no call is admitted.
    fn pause(&self) -> Duration {
        self.known(|state| state.off.as_ref().unwrap().until.saturating_sub(now()))
    }
}

use Outcome::{Reached, Unknown, Unreached};

#[test]
fn where_half_of_the_latest_calls_fail_calls_fail_at_once() {
    let fail_fast = fail_fast(3, MINUTE);
    fail_fast.calls(Reached, 3);
    fail_fast.calls(Unreached, 2);
    assert!(!fail_fast.is_off());
    fail_fast.calls(Unreached, 1);
    assert!(fail_fast.is_off() && !fail_fast.call(Reached));
    let error = fail_fast.check(Stage::Create, "host").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::FailFast });
    assert_eq!(error.retry(), Retry::Later);
    let after = error.retry_after().unwrap();
    assert!((MINUTE / 2..=MINUTE * 3 / 2).contains(&after), "{after:?}");
}

/// One of two servers behind a balancer hangs: the calls to it all end at the same moment.
#[test]
fn failures_in_a_row_among_many_that_succeed_change_nothing() {
    let fail_fast = fail_fast(3, MINUTE);
    fail_fast.calls(Reached, 100);
    fail_fast.calls(Unreached, 99);
    assert!(!fail_fast.is_off());
}

#[test]
fn what_succeeded_before_the_failing_calls_began_says_nothing_of_them() {
    let fail_fast = fail_fast(3, MINUTE);
    fail_fast.calls(Reached, 100);
    fail_fast.wait(fail_fast.window);
    fail_fast.calls(Unreached, 3);
    assert!(fail_fast.is_off());
}

#[test]
fn one_call_at_a_time_probes_and_a_success_lifts_it() {
    let fail_fast = fail_fast(1, MINUTE);
    fail_fast.calls(Unreached, 1);
    fail_fast.wait(2 * MINUTE);
    let probe = fail_fast.admit(Stage::Create, "host").unwrap();
    assert!(fail_fast.is_off() && !fail_fast.call(Reached), "nobody else is admitted");
    fail_fast.record(probe, Unknown);
    let probe = fail_fast.admit(Stage::Create, "host").expect("the one before told nothing");
    fail_fast.record(probe, Reached);
    fail_fast.calls(Reached, 1);
    assert!(!fail_fast.is_off());
}

#[test]
fn a_probe_without_an_outcome_is_not_waited_for() {
    let fail_fast = fail_fast(1, Duration::ZERO);
    fail_fast.calls(Unreached, 1);
    let _lost = fail_fast.admit(Stage::Create, "host").unwrap();
    assert!(fail_fast.is_off());
    fail_fast.wait(2 * fail_fast.window);
    assert!(fail_fast.call(Reached));
}

#[test]
fn a_success_of_a_call_that_was_under_way_lifts_it_and_a_failure_does_not_prolong_it() {
    // The next pause would be twice as long.
    let fail_fast = fail_fast(1, Duration::from_secs(10));
    let under_way = [(); 3].map(|()| fail_fast.admit(Stage::Create, "host").unwrap());
    let [first, second, third] = under_way;
    fail_fast.record(first, Unreached);
    let pause = fail_fast.pause();
    fail_fast.record(second, Unreached);
    assert!(fail_fast.pause() <= pause);
    fail_fast.record(third, Reached);
    assert!(!fail_fast.is_off());
}

#[test]
fn the_pause_grows_to_a_minute_and_differs_from_client_to_client() {
    let pauses = |first: u64| {
        let fail_fast = fail_fast(1, Duration::from_secs(first));
        fail_fast.calls(Unreached, 1);
        [(); 6].map(|()| {
            let pause = fail_fast.pause();
            fail_fast.wait(pause + Duration::from_millis(1));
            fail_fast.calls(Unreached, 1);
            pause
        })
    };
    for (first, expected) in [(5, [5, 10, 20, 40, 60, 60]), (600, [600; 6])] {
        for (pause, least) in pauses(first).into_iter().zip(expected) {
            let least = Duration::from_secs(least);
            // The clock has run on since the pause was set.
            let earliest = least.saturating_sub(Duration::from_secs(1));
            assert!((earliest..=least * 3 / 2).contains(&pause), "{pause:?}, not {least:?}");
        }
    }
    let firsts: Vec<Duration> = (0..64).map(|_| pauses(60)[0]).collect();
    assert!(firsts.iter().any(|pause| pause.abs_diff(firsts[0]) > Duration::from_secs(3)), "{firsts:?}");
}

#[test]
fn zero_switches_it_off() {
    let fail_fast = fail_fast(0, MINUTE);
    fail_fast.calls(Unreached, 10);
    assert!(!fail_fast.is_off());
}

#[test]
fn only_a_server_that_is_not_reached_is_to_blame() {
    let error = |kind| Err::<(), _>(Error::new(kind, Stage::Create, Retry::No, String::new()));
    for (result, outcome) in [
        (Ok(()), Reached),
        (error(ErrorKind::Auth), Reached),
        (error(ErrorKind::Connect { phase: Phase::Tcp }), Unreached),
        (error(ErrorKind::Timeout { phase: Phase::Headers }), Unreached),
        (error(ErrorKind::Timeout { phase: Phase::Queue }), Unknown),
        (error(ErrorKind::Timeout { phase: Phase::FailFast }), Unknown),
        (error(ErrorKind::Internal), Unknown),
    ] {
        assert_eq!(Outcome::of(&result), outcome, "{result:?}");
    }
}

#[test]
fn the_memory_of_outcomes_is_bounded() {
    let fail_fast = fail_fast(3, MINUTE);
    fail_fast.calls(Reached, 2 * MAX_OUTCOMES);
    assert_eq!(fail_fast.known(|state| state.outcomes.len()), MAX_OUTCOMES);
}

/// What an operator needs to look for the cause.
#[test]
fn a_refusal_says_how_many_calls_failed() {
    let fail_fast = fail_fast(3, MINUTE);
    fail_fast.calls(Unreached, 3);
    let told = || fail_fast.check(Stage::Create, "chat.example.org").unwrap_err().to_string();
    assert!(told().starts_with("3 of the last calls did not reach chat.example.org"), "{}", told());
    fail_fast.wait(2 * MINUTE);
    fail_fast.calls(Unreached, 1);
    assert!(told().starts_with("4 of the last calls"), "the probe failed, too: {}", told());
}

#[test]
fn a_client_is_told_to_come_back_in_whole_seconds() {
    for (left, told) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (2000, 2), (59_500, 60)] {
        assert_eq!(in_seconds(Duration::from_millis(left)), Duration::from_secs(told), "{left} ms");
    }
}

#[test]
fn a_call_that_was_under_way_and_tells_nothing_lets_nobody_probe_beside_the_probe() {
    let fail_fast = fail_fast(1, MINUTE);
    let under_way = fail_fast.admit(Stage::Create, "host").unwrap();
    fail_fast.calls(Unreached, 1);
    fail_fast.wait(2 * MINUTE);
    let _probe = fail_fast.admit(Stage::Create, "host").unwrap();
    fail_fast.record(under_way, Unknown);
    assert!(fail_fast.is_off());
}

/// A call may take as long as the window, and then has its session to end.
#[test]
fn a_probe_is_waited_for_longer_than_a_call_may_take() {
    let fail_fast = fail_fast(1, Duration::ZERO);
    fail_fast.calls(Unreached, 1);
    let _probe = fail_fast.admit(Stage::Create, "host").unwrap();
    fail_fast.wait(fail_fast.window);
    assert!(fail_fast.is_off());
    fail_fast.wait(fail_fast.window);
    assert!(!fail_fast.is_off());
}

/// The outcomes of calls that ended at these seconds, `-` for those that did not reach the server.
fn ended(outcomes: &[(u64, char)]) -> State {
    let outcomes = outcomes.iter().map(|(second, sign)| (Duration::from_secs(*second), *sign == '-'));
    State { outcomes: outcomes.collect(), off: None }
}

#[test]
fn half_of_the_calls_of_the_window_have_to_fail() {
    let window = Duration::from_secs(10);
    for (outcomes, after, now, failures) in [
        (&[(1, '+'), (2, '-')][..], 1, 2, Some(1)),
        (&[(1, '+'), (1, '+'), (2, '-')], 1, 2, None),
        // All are of the last ten seconds.
        (&[(1, '+'), (1, '+'), (2, '-')], 1, 11, None),
        // The first two are not, but two calls are looked at in any case.
        (&[(1, '+'), (1, '+'), (2, '-')], 1, 12, Some(1)),
        (&[(1, '+'), (2, '-')], 1, 60, Some(1)),
        (&[(1, '-'), (2, '-')], 3, 2, None),
        (&[(1, '-'), (2, '-'), (2, '-')], 3, 2, Some(3)),
        (&[(1, '-'), (2, '-')], 0, 2, None),
    ] {
        let now = Duration::from_secs(now);
        assert_eq!(ended(outcomes).failures(after, window, now), failures, "{outcomes:?} at {now:?}");
    }
}

#[test]
fn only_what_is_older_than_the_window_is_forgotten() {
    let window = Duration::from_secs(10);
    for (now, left) in [(11, 4), (12, 2), (13, 2), (60, 2)] {
        let mut state = ended(&[(1, '+'), (1, '-'), (2, '-'), (2, '+')]);
        state.forget(1, window, Duration::from_secs(now));
        assert_eq!(state.outcomes.len(), left, "after {now} s");
    }
}

/// Otherwise no pause would end.
#[test]
fn the_clock_goes_on_and_did_not_begin_with_the_machine() {
    let begin = now();
    assert!(begin >= BEFORE);
    while now() == begin {}
    assert!(now() > begin);
}

/// Two clients of this process, which stand for two processes of a host.
fn processes(after: u32) -> (Folder, [FailFast; 2]) {
    let folder = Folder::new();
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    (config.fail_fast_after, config.fail_fast_for, config.workers) = (after, MINUTE, 1);
    let process = || FailFast::new(&config, Host::within(&folder.0, &config).map(Arc::new));
    let both = [process(), process()];
    (folder, both)
}

#[test]
fn what_one_process_learned_another_knows() {
    let (_folder, [first, second]) = processes(3);
    first.calls(Unreached, 2);
    assert!(!second.is_off());
    second.calls(Unreached, 1);
    assert!(first.is_off() && second.is_off());
}

#[test]
fn where_it_is_switched_off_nothing_is_learned_of_others() {
    let (folder, [first, _]) = processes(1);
    first.calls(Unreached, 1);
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    (config.fail_fast_after, config.workers) = (0, 1);
    let never = FailFast::new(&config, Host::within(&folder.0, &config).map(Arc::new));
    assert!(first.is_off() && !never.is_off());
}

#[test]
fn one_process_probes_and_tells_the_others() {
    let (_folder, [first, second]) = processes(1);
    first.calls(Unreached, 1);
    first.wait(2 * MINUTE);
    let probe = second.admit(Stage::Create, "host").unwrap();
    assert!(first.is_off() && !first.call(Reached), "nobody else is admitted");
    second.record(probe, Reached);
    assert!(!first.is_off());
}

/// A process that dies releases its locks without saying how its call went.
#[test]
fn where_the_process_that_probes_dies_another_one_probes() {
    let (_folder, [first, second]) = processes(1);
    first.calls(Unreached, 1);
    first.wait(2 * MINUTE);
    drop(second.admit(Stage::Create, "host").unwrap());
    assert!(first.call(Reached), "at once");
    assert!(!second.is_off());
}

#[test]
fn where_one_process_probes_for_all_the_pause_stays_short() {
    let folder = Folder::new();
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    (config.fail_fast_after, config.fail_fast_for, config.workers) = (1, Duration::from_secs(5), 1);
    let fail_fast = FailFast::new(&config, Host::within(&folder.0, &config).map(Arc::new));
    for _ in 0..6 {
        fail_fast.calls(Unreached, 1);
        assert!(fail_fast.pause() <= MAX_PAUSE_OF_HOST * 3 / 2);
        fail_fast.wait(fail_fast.pause() + Duration::from_millis(1));
    }
}

#[test]
fn notes_say_all_that_is_known() {
    let off = |probing_since| Off {
        failures: 3,
        pause: Duration::from_secs(5),
        until: Duration::from_millis(1_005_500),
        probing_since,
    };
    let outcomes: VecDeque<_> = [(1, false), (2, true)].map(|(at, it)| (Duration::from_secs(at), it)).into();
    let now = Duration::from_secs(1000);
    for off in [None, Some(off(None)), Some(off(Some(now)))] {
        let state = State { outcomes: outcomes.clone(), off };
        assert_eq!(State::read(&state.to_text(), now), state);
    }
}

#[test]
fn impossible_notes_are_ignored() {
    let now = Duration::from_secs(1000);
    for text in [
        "",
        "\n \nnonsense",
        "1001000 1",
        "999 2",
        "-5 1",
        "1 1x",
        // Times from before the machine was restarted are later than the clock is now.
        "off 3 5000 1008000 -",
        "off 3 5000 1007501 -",
        "1000001 1",
        "off 3 5000 1003000 1000001",
        "off 3 3600001 1003000 -",
        "off 3 5000",
        "off x 5000 1003000 -",
        "off 3 5000 1003000 - -",
    ] {
        assert_eq!(State::read(text, now), State::default(), "{text}");
    }
    for text in [
        "off 3 5000 1003000 -",
        "1000000 1",
        // As late as it can be: the pause, and half of it.
        "off 3 5000 1007500 -",
        "off 3 3600000 6400000 1000000",
    ] {
        assert_ne!(State::read(text, now), State::default(), "{text} is possible");
    }
}
