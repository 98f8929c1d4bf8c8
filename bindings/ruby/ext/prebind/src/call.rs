//! Makes calls interruptible, and raises their errors.

use std::cell::RefCell;

use magnus::{Error, Exception, KwArgs, RClass, RModule, Ruby, TryConvert, Value, prelude::*};
use prebind::binding::{LogEvent, contained};

use crate::gvl::{check_interrupts, without_gvl};
use crate::results::fields;

/// Makes a call while other threads run, and then logs what happened. If something is raised in this thread
/// during the call, or the thread is killed, the call is given up and the same is raised here. An exception
/// of the logger is raised as well. `undo` then gets the result of the call, if it succeeded.
pub(crate) fn interruptible<T>(
    ruby: &Ruby,
    call: impl FnOnce() -> prebind::Result<T>,
    undo: impl Fn(T),
) -> Result<T, Error> {
    let wanted: Option<String> = ours::<RModule>(ruby, "Log")?.funcall("wanted", ())?;
    let told = RefCell::new(Vec::new());
    let observer = |it: LogEvent<'_>| {
        told.borrow_mut().push((it.target, it.level, it.message.to_owned()));
    };
    let call = || prebind::binding::interruptible(check_interrupts, || contained(call));
    let call = || match wanted.and_then(|level| level.parse().ok()) {
        Some(level) => prebind::binding::with_log(level, observer, call),
        None => call(),
    };
    let result = without_gvl(ruby, call, |result| result.map_or((), &undo));
    // Logging has the global lock and waits until the call has ended, because a logger may do anything, such
    // as let another fiber run.
    let log = |line: (&str, &str, String)| {
        ours::<RModule>(ruby, "Log")?.funcall::<_, _, Value>("write", line).map(drop)
    };
    match (result, told.into_inner().into_iter().try_for_each(log)) {
        (Ok(result), Ok(())) => result.map_err(|error| raise(ruby, &error)),
        (Ok(Ok(value)), Err(raised)) => {
            without_gvl(ruby, || undo(value), drop)?;
            Err(raised)
        }
        (Ok(Err(_)), Err(raised)) | (Err(raised), _) => Err(raised),
    }
}

/// The constant of `Prebind` with this name.
fn ours<T: TryConvert>(ruby: &Ruby, name: &str) -> Result<T, Error> {
    ruby.class_object().const_get::<_, RModule>("Prebind")?.const_get(name)
}

/// The exception for an error.
pub(crate) fn raise(ruby: &Ruby, error: &prebind::Error) -> Error {
    exception(ruby, error).map_or_else(|failure| failure, Error::from)
}

fn exception(ruby: &Ruby, error: &prebind::Error) -> Result<Exception, Error> {
    let details = error.to_named().filter(|(field, _)| !matches!(field.name, "kind" | "message"));
    let class: RClass = ours(ruby, &format!("{}Error", error.kind().as_str()))?;
    class.funcall("new", (error.to_string(), KwArgs(fields(ruby, details)?)))
}
