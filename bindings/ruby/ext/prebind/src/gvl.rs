//! Ruby's global lock: released for a call, and taken back now and then to see what is raised
//! meanwhile. All unsafe code is here.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::LazyLock;

use magnus::error::RubyUnavailableError::{GvlUnlocked, NonRubyThread};
use magnus::value::BoxValue;
use magnus::{Error, RClass, Ruby, Value, prelude::*};
use rb_sys::{RB_NOGVL_INTR_FAIL, rb_ext_ractor_safe, rb_nogvl, rb_thread_call_with_gvl};

/// What is to be raised once the lock is there again, and what keeps it from being collected.
type Raised = (Error, Option<BoxValue<Value>>);

thread_local! {
    static RAISED: RefCell<Option<Raised>> = const { RefCell::new(None) };
    static STAYS: Cell<bool> = const { Cell::new(true) };
}

/// Runs `call` while other Ruby threads run; `undo` gets its result if something was raised meanwhile.
///
/// # Errors
/// What was raised in this thread, before or meanwhile.
pub(crate) fn without_gvl<T>(
    ruby: &Ruby,
    call: impl FnOnce() -> T,
    undo: impl FnOnce(T),
) -> Result<T, Error> {
    let outer_stays = STAYS.replace(stays(ruby)?);
    // The handler of a signal may make a call of its own while one waits.
    let outer = RAISED.take();
    let called = released(ruby, || {
        let result = call();
        if RAISED.with_borrow(Option::is_none) {
            return Some(result);
        }
        undo(result);
        None
    });
    let raised = RAISED.replace(outer);
    STAYS.set(outer_stays);
    called?.ok_or_else(|| match raised {
        Some((error, _)) => error,
        None => Error::new(ruby.exception_fatal(), "nothing was raised"),
    })
}

/// Lets Ruby raise what is to be raised in this thread. Whether to go on.
pub(crate) fn check_interrupts() -> bool {
    with_ruby(Ruby::thread_check_ints)
}

/// Has Ruby do something, with the lock. Whether to go on: nothing has been raised.
fn with_ruby(action: impl FnOnce(&Ruby) -> Result<(), Error>) -> bool {
    if RAISED.with_borrow(Option::is_some) {
        return false;
    }
    // Otherwise what is raised comes when the call is over.
    if !STAYS.get() {
        return true;
    }
    retaken(|ruby| {
        if let Err(error) = action(ruby) {
            let kept = error.value().map(BoxValue::new);
            RAISED.set(Some((error, kept)));
        }
    });
    RAISED.with_borrow(Option::is_none)
}

/// Says that the methods may be called in any Ractor: there is no state but what is locked.
pub(crate) fn declare_ractor_safe() {
    // SAFETY: only called while Ruby loads the extension.
    unsafe { rb_ext_ractor_safe(true) };
}

/// Whether this thread stays on its native thread, by which much is kept here and in the core. From Ruby 3.3
/// on, a Ractor's threads may go on on another one whenever they take the lock, which 3.4 lets one forbid.
fn stays(ruby: &Ruby) -> Result<bool, Error> {
    static LOCK: LazyLock<Option<unsafe extern "C" fn() -> bool>> = LazyLock::new(|| {
        // SAFETY: what is looked for by name, since older Rubies do not have it, is what Ruby's thread.h says.
        unsafe { transmute(libc::dlsym(libc::RTLD_DEFAULT, c"rb_thread_lock_native_thread".as_ptr())) }
    });
    if let Some(lock) = *LOCK {
        // SAFETY: this thread is one of Ruby's, and has the lock.
        unsafe { lock() };
        return Ok(true);
    }
    let version: String = ruby.class_object().const_get("RUBY_VERSION")?;
    let ractor: RClass = ruby.class_object().const_get("Ractor")?;
    Ok(!version.starts_with("3.3.")
        || ractor.funcall::<_, _, Value>("current", ())?.equal(ractor.funcall::<_, _, Value>("main", ())?)?)
}

fn released<T>(ruby: &Ruby, call: impl FnOnce() -> T) -> Result<T, Error> {
    let mut job = Job::new(call);
    loop {
        // By this flag Ruby returns, instead of raising past Rust's frames, if there is something
        // to raise: without having called.
        let flags = RB_NOGVL_INTR_FAIL.cast_signed();
        let (entry, argument) = job.as_c();
        // SAFETY: `job` outlives the call, is what `entry` takes, and nobody else has it.
        unsafe { rb_nogvl(Some(entry), argument, None, null_mut(), flags) };
        match job.outcome() {
            Some(value) => return Ok(value),
            None => ruby.thread_check_ints()?,
        }
    }
}

/// Calls with the lock, which this thread has released or not. A thread that is none of Ruby's does
/// not call.
fn retaken(call: impl FnOnce(&Ruby)) {
    match Ruby::get() {
        Ok(ruby) => call(&ruby),
        Err(NonRubyThread) => {}
        Err(GvlUnlocked) => {
            let mut job = Job::new(|| Ruby::get().map(|ruby| call(&ruby)));
            let (entry, argument) = job.as_c();
            // SAFETY: as above, and the thread is one of Ruby's that has released the lock.
            unsafe { rb_thread_call_with_gvl(Some(entry), argument) };
            job.outcome();
        }
    }
}

type Entry = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// A closure as a C function and its argument.
struct Job<F, T> {
    call: Option<F>,
    outcome: Option<Result<T, Box<dyn Any + Send>>>,
}

impl<F: FnOnce() -> T, T> Job<F, T> {
    fn new(call: F) -> Self {
        Self { call: Some(call), outcome: None }
    }

    fn as_c(&mut self) -> (Entry, *mut c_void) {
        (Self::run, (&raw mut *self).cast())
    }

    unsafe extern "C" fn run(job: *mut c_void) -> *mut c_void {
        // SAFETY: it is what `as_c` made of a job that is borrowed for as long as this runs.
        let job = unsafe { &mut *job.cast::<Self>() };
        if let Some(call) = job.call.take() {
            // No panic may cross C.
            job.outcome = Some(catch_unwind(AssertUnwindSafe(call)));
        }
        null_mut()
    }

    /// What came of it, once; `None` if it was not called.
    fn outcome(&mut self) -> Option<T> {
        self.outcome.take().map(|outcome| outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}
