//! Makes calls interruptible, and wraps the parts of PHP's engine that no library wraps.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::ffi::{ext_php_rs_executor_globals, zend_interrupt_function};
use ext_php_rs::zend::{ExecutorGlobals, ModuleEntry, try_catch};
use prebind::Result;

unsafe extern "C" {
    fn display_ini_entries(module: *mut ModuleEntry);
    fn zend_throw_unwind_exit();
}

/// Prints the settings of `php.ini` in `phpinfo()`.
pub(crate) fn print_settings(module: *mut ModuleEntry) {
    // SAFETY: PHP passes its own module, and calls this itself.
    unsafe { display_ini_entries(module) }
}

/// Makes a call. While it waits, PHP does what it also does between two lines: it handles signals and checks
/// `max_execution_time`. If that throws or ends the script, the call is given up.
pub(crate) fn interruptible<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: PHP ends the script by a jump, which loses the current frame. This restores the frame and ends
    // the script as `exit` does, once the call has returned.
    let end = unsafe {
        let (globals, frame) =
            (ext_php_rs_executor_globals(), (*ext_php_rs_executor_globals()).current_execute_data);
        move |_| ((*globals).current_execute_data = frame, zend_throw_unwind_exit())
    };
    prebind::binding::interruptible(
        move || try_catch(AssertUnwindSafe(goes_on)).map_err(end) == Ok(true),
        || prebind::binding::contained(call),
    )
}

/// Handles signals. Returns whether the script goes on.
fn goes_on() -> bool {
    // SAFETY: these are the globals of this thread. The two flags, which signals set, are one byte in every
    // version of PHP. The interrupt function may run PHP code, as any function may.
    unsafe {
        let globals = ext_php_rs_executor_globals();
        let is_over = AtomicBool::from_ptr((&raw mut (*globals).timed_out).cast());
        let is_interrupted = AtomicBool::from_ptr((&raw mut (*globals).vm_interrupt).cast());
        if !is_over.load(Ordering::Relaxed) && is_interrupted.swap(false, Ordering::Relaxed) {
            zend_interrupt_function.inspect(|interrupt| interrupt((*globals).current_execute_data));
        }
        !is_over.load(Ordering::Relaxed) && !ExecutorGlobals::has_exception()
    }
}
