//! Reads requests and writes answers, in the same order.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use prebind::extauth::{Request, answer, read_frame};

/// The most requests that may be under way. Above that, each is answered before the next one is read.
const MOST: u64 = 64;

/// Answers requests.
pub(crate) trait Service: Sync {
    /// What there is to do when the first request is there.
    fn begins(&self) {}

    /// Whether the answer may take a while.
    fn may_wait(&self, request: &Request) -> bool;

    /// The answer.
    fn answer(&self, request: &Request) -> bool;
}

/// Answers requests until the input ends, and returns how many there were. A request that cannot be answered
/// gets a no. Requests that take a while run at the same time.
///
/// # Errors
/// If the input cannot be read any more.
pub(crate) fn serve(
    input: &mut impl Read,
    output: impl Write + Send,
    service: &impl Service,
) -> io::Result<u64> {
    let answers = Answers::new(output);
    let mut requests = 0;
    thread::scope(|scope| {
        loop {
            let frame = match read_frame(input) {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(requests),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    tracing::warn!("the input ended within a request");
                    return Ok(requests);
                }
                Err(error) => return Err(error),
            };
            let (number, request) = (requests, Arc::new(Request::parse(&frame)));
            if number == 0 {
                contained(|| {
                    service.begins();
                    true
                });
            }
            requests += 1;
            let (answers, asked) = (&answers, Arc::clone(&request));
            let reply = move |request: &Request| answers.give(number, contained(|| service.answer(request)));
            let is_started = answers.open(number) < MOST
                && contained(|| service.may_wait(&request))
                && thread::Builder::new().spawn_scoped(scope, move || reply(&asked)).is_ok();
            if !is_started {
                reply(&request);
            }
        }
    })
}

/// The result of `ask`. A panic counts as no.
fn contained(ask: impl FnOnce() -> bool) -> bool {
    panic::catch_unwind(AssertUnwindSafe(ask)).unwrap_or(false)
}

/// The answers that have to be written.
struct Answers<W>(Mutex<Queue<W>>);

struct Queue<W> {
    output: W,
    /// The number of the next request to be answered.
    next: u64,
    ready: BTreeMap<u64, bool>,
    is_broken: bool,
}

impl<W: Write> Answers<W> {
    fn new(output: W) -> Self {
        Self(Mutex::new(Queue { output, next: 0, ready: BTreeMap::new(), is_broken: false }))
    }

    /// How many requests before this one have no answer yet.
    fn open(&self, number: u64) -> u64 {
        number - self.queue().next
    }

    /// Writes this answer as soon as all earlier answers are written.
    fn give(&self, number: u64, is_yes: bool) {
        let mut queue = self.queue();
        queue.ready.insert(number, is_yes);
        while let Some(is_yes) = {
            let next = queue.next;
            queue.ready.remove(&next)
        } {
            queue.next += 1;
            let written = queue.output.write_all(&answer(is_yes)).and_then(|()| queue.output.flush());
            // This goes on, because only the end of the input, which will follow, may end the command.
            if let Err(error) = written
                && !queue.is_broken
            {
                queue.is_broken = true;
                tracing::error!("the answers cannot be written: {error}");
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Answers from a table. Requests about users in `waiting` wait until they may go on.
    #[derive(Default)]
    struct Table {
        yes: Vec<&'static str>,
        waiting: HashMap<&'static str, Mutex<Receiver<()>>>,
    }

    impl Table {
        fn hold(&mut self, name: &'static str) -> Sender<()> {
            let (go_on, told) = channel();
            self.waiting.insert(name, Mutex::new(told));
            go_on
        }
    }

    impl Service for Table {
        fn may_wait(&self, request: &Request) -> bool {
            matches!(request, Request::IsUser(user) if self.waiting.contains_key(user.name()))
        }

        fn answer(&self, request: &Request) -> bool {
            let Request::IsUser(user) = request else { return false };
            assert_ne!(user.name(), "defect", "this is contained");
            if let Some(told) = self.waiting.get(user.name()) {
                told.lock().unwrap().recv().unwrap();
            }
            self.yes.contains(&user.name())
        }
    }

    fn frame(content: &str) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&length, content.as_bytes()].concat()
    }

    fn asked(names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| frame(&format!("isuser:{name}:localhost"))).collect()
    }

    fn said(answers: &[bool]) -> Vec<u8> {
        answers.iter().flat_map(|is_yes| answer(*is_yes)).collect()
    }

    #[test]
    fn a_defect_is_a_no_and_no_end() {
        let table = Table { yes: vec!["alice"], ..Table::default() };
        let mut output = Vec::new();
        let input = asked(&["alice", "defect", "bob", "alice"]);
        assert_eq!(serve(&mut &input[..], &mut output, &table).unwrap(), 4);
        assert_eq!(output, said(&[true, false, false, true]));
    }

    #[test]
    fn an_input_that_is_cut_is_answered_as_far_as_it_goes() {
        let table = Table { yes: vec!["alice"], ..Table::default() };
        let (input, one) = (asked(&["alice", "alice"]), asked(&["alice"]).len());
        for cut in 0..=input.len() {
            let mut output = Vec::new();
            let requests = serve(&mut &input[..cut], &mut output, &table).unwrap();
            assert_eq!((requests, output), ((cut / one) as u64, said(&vec![true; cut / one])), "{cut}");
        }
    }

    #[test]
    fn requests_wait_side_by_side_and_are_answered_in_order() {
        let mut table = Table { yes: vec!["bob", "carol"], ..Table::default() };
        let [alice, bob] = ["alice", "bob"].map(|name| table.hold(name));
        let (mut input, requests) = io::pipe().unwrap();
        let (mut answers, output) = io::pipe().unwrap();
        thread::scope(|scope| {
            let table = &table;
            scope.spawn(move || serve(&mut input, output, table).unwrap());
            (&requests).write_all(&asked(&["alice", "bob", "carol"])).unwrap();
            // If each request waited for the one before, this would wait for ever.
            bob.send(()).unwrap();
            alice.send(()).unwrap();
            let mut read = [0; 12];
            answers.read_exact(&mut read).unwrap();
            assert_eq!(read.to_vec(), said(&[false, true, true]));
            drop(requests);
        });
    }

    #[test]
    fn an_output_that_is_closed_is_no_end() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let input = asked(&["alice"; 100]);
        assert_eq!(serve(&mut &input[..], Closed, &Table::default()).unwrap(), 100);
    }

    /// The thread that reads answers the last request itself.
    #[test]
    fn more_requests_than_may_wait_are_answered_too() {
        let mut table = Table::default();
        let names: Vec<&'static str> = (0..=MOST).map(|at| &*format!("user{at}").leak()).collect();
        let go_on: Vec<_> = names.iter().map(|name| table.hold(name)).collect();
        let input = asked(&names);
        let mut output = Vec::new();
        thread::scope(|scope| {
            let served = scope.spawn(|| serve(&mut &input[..], &mut output, &table).unwrap());
            go_on.iter().rev().for_each(|go_on| go_on.send(()).unwrap());
            assert_eq!(served.join().unwrap(), MOST + 1);
        });
        assert_eq!(output, said(&vec![false; names.len()]));
    }
}
