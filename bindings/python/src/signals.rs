//! A call during which other threads run, and after whose signals Python looks.

use std::cell::RefCell;
use std::rc::Rc;

use pyo3::prelude::*;

use crate::error::raise;
use crate::log;

/// Makes the call. If a signal's handler raises meanwhile, the call is given up and that raised.
pub(crate) fn heeded<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> prebind::Result<T> + Send,
) -> PyResult<T> {
    log::listen(py)?;
    py.detach(|| {
        let raised = Rc::new(RefCell::new(None));
        let handler = Rc::clone(&raised);
        let keep_going = move || {
            let seen =
                |py: Python<'_>| py.check_signals().map_err(|error| handler.replace(Some(error))).is_ok();
            // While the interpreter shuts down there is nobody to be interrupted by.
            Python::try_attach(seen).unwrap_or(true)
        };
        let result = prebind::interruptible(keep_going, call);
        raised.take().map_or_else(|| result.map_err(raise), Err)
    })
}
