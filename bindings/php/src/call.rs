//! How calls are made, and what PHP gets to know of errors.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::ffi::{ext_php_rs_executor_globals, zend_interrupt_function};
use ext_php_rs::prelude::*;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ExecutorGlobals, bailout, try_catch};
use prebind::{Condition, Error, ErrorKind, Result};

use crate::value::array;

/// Makes a call. While it waits, PHP does what it does between two lines: it handles signals and
/// minds `max_execution_time`. The call is given up if that throws or ends the script.
pub(crate) fn heedful<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let has_ended = Rc::new(Cell::new(false));
    let ended = Rc::clone(&has_ended);
    let heed = move || try_catch(AssertUnwindSafe(goes_on)).inspect_err(|_| ended.set(true)).unwrap_or(false);
    let result = prebind::interruptible(heed, call);
    if has_ended.take() {
        drop((result, has_ended));
        // SAFETY: there is nothing left here to be dropped.
        unsafe { bailout() }
    }
    result
}

/// Whether the script does, after signals have been handled.
fn goes_on() -> bool {
    // SAFETY: the globals of this thread. The two flags, which signals set, have one byte in every
    // version of PHP. What interrupts may run PHP code, as any function may.
    unsafe {
        let globals = ext_php_rs_executor_globals();
        let is_set =
            |flag: *mut u8, then| AtomicBool::from_ptr(flag.cast()).fetch_and(then, Ordering::Relaxed);
        if is_set((&raw mut (*globals).timed_out).cast(), true) {
            return false;
        }
        if let Some(interrupt) = zend_interrupt_function
            && is_set((&raw mut (*globals).vm_interrupt).cast(), false)
        {
            interrupt((*globals).current_execute_data);
        }
    }
    !ExecutorGlobals::has_exception()
}

/// The value, or what to make an exception of.
pub(crate) fn answer(result: Result<impl IntoZval>) -> PhpResult<Zval> {
    Ok(match result {
        Ok(value) => vec![value].into_zval(false)?,
        Err(error) => details(&error).into_zval(false)?,
    })
}

fn details(error: &Error) -> ext_php_rs::error::Result<Zval> {
    let condition = error.condition().map(Condition::as_str);
    let specific = match error.kind() {
        ErrorKind::Config { field } => array(&[("field", field)]),
        ErrorKind::Connect { phase } | ErrorKind::Timeout { phase } => array(&[("phase", &phase.as_str())]),
        ErrorKind::Http { status, location } => array(&[("status", status), ("location", location)]),
        ErrorKind::Protocol { expected } => array(&[("expected", expected)]),
        ErrorKind::Mechanism { offered, allowed } => array(&[("offered", offered), ("allowed", allowed)]),
        ErrorKind::ServerUnverified { check } => array(&[("check", &check.as_str())]),
        ErrorKind::Terminated | ErrorKind::Auth | ErrorKind::Bind | ErrorKind::Internal => array(&[]),
    };
    let common: [(_, &dyn IntoZvalDyn); 5] = [
        ("message", &error.to_string()),
        ("stage", &error.stage().as_str()),
        ("condition", &condition),
        ("text", &error.text()),
        ("retry", &error.retry().as_str()),
    ];
    array(&[("kind", &error.kind().name()), ("common", &array(&common)?), ("specific", &specific?)])
}
