//! Releases Ruby's global lock for a call, and takes it back from time to time to check for exceptions in
//! this thread. All unsafe code is here.

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

/// The exception to raise once the lock is taken back, and the box that protects it from garbage collection.
type Raised = (Error, Option<BoxValue<Value>>);

thread_local! {
    static RAISED: RefCell<Option<Raised>> = const { RefCell::new(None) };
    static STAYS: Cell<bool> = const { Cell::new(true) };
}

/// Runs `call` while other Ruby threads run. If something is raised during the call, `undo` gets its result.
///
/// # Errors
/// The exception that was raised in this thread, before or during the call.
pub(crate) fn without_gvl<T>(
    ruby: &Ruby,
    call: impl FnOnce() -> T,
    undo: impl FnOnce(T),
) -> Result<T, Error> {
    let outer_stays = STAYS.replace(stays(ruby)?);
    // A signal handler may make another call while this one waits.
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

/// Lets Ruby raise pending exceptions in this thread. Returns whether to go on.
pub(crate) fn check_interrupts() -> bool {
    with_ruby(Ruby::thread_check_ints)
}

/// Runs an action with the lock. Returns whether to go on, which is so if nothing was raised.
fn with_ruby(action: impl FnOnce(&Ruby) -> Result<(), Error>) -> bool {
    if RAISED.with_borrow(Option::is_some) {
        return false;
    }
    // If the thread may move, exceptions are raised when the call has ended.
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

/// Declares that the methods may be called in any Ractor, because all state is locked.
pub(crate) fn declare_ractor_safe() {
    // SAFETY: this is only called while Ruby loads the extension.
    unsafe { rb_ext_ractor_safe(true) };
}

/// Whether this Ruby thread stays on its native thread. This half and the core keep state in thread-locals.
/// From Ruby 3.3 on, a Ractor's threads may move to another native thread whenever they take the lock. Ruby
/// 3.4 has a function to prevent that.
fn stays(ruby: &Ruby) -> Result<bool, Error> {
    static LOCK: LazyLock<Option<unsafe extern "C" fn() -> bool>> = LazyLock::new(|| {
        // SAFETY: the type is that of Ruby's thread.h. The function is looked up by name because older Rubies
        // do not have it.
        unsafe { transmute(libc::dlsym(libc::RTLD_DEFAULT, c"rb_thread_lock_native_thread".as_ptr())) }
    });
    if let Some(lock) = *LOCK {
        // SAFETY: this thread belongs to Ruby and has the lock.
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
        // With this flag, Ruby returns without making the call if an exception is pending. Otherwise it would
        // raise across Rust's frames.
        let flags = RB_NOGVL_INTR_FAIL.cast_signed();
        let (entry, argument) = job.as_c();
        // SAFETY: `job` outlives the call, has the type that `entry` expects, and is not shared.
        unsafe { rb_nogvl(Some(entry), argument, None, null_mut(), flags) };
        match job.outcome() {
            Some(value) => return Ok(value),
            None => ruby.thread_check_ints()?,
        }
    }
}

/// Runs `call` with the lock, whether or not this thread has released it. On a thread that does not belong to
/// Ruby, `call` does not run.
fn retaken(call: impl FnOnce(&Ruby)) {
    match Ruby::get() {
        Ok(ruby) => call(&ruby),
        Err(NonRubyThread) => {}
        Err(GvlUnlocked) => {
            let mut job = Job::new(|| Ruby::get().map(|ruby| call(&ruby)));
            let (entry, argument) = job.as_c();
            // SAFETY: as above, and the thread belongs to Ruby and has released the lock.
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
        // SAFETY: `as_c` made this pointer from a job that is borrowed while this runs.
        let job = unsafe { &mut *job.cast::<Self>() };
        if let Some(call) = job.call.take() {
            // A panic must not cross C frames.
            job.outcome = Some(catch_unwind(AssertUnwindSafe(call)));
        }
        null_mut()
    }

    /// The result of the call, which is returned once. `None` if the call was not made.
    fn outcome(&mut self) -> Option<T> {
        self.outcome.take().map(|outcome| outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}
