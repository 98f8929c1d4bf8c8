//! Values that come by a name, as another language gives them, and what a name takes.

// May import from `error` and the layers above, in the order of `core/tests/layers`.

mod named_value;
mod parameter;
mod value;

pub(crate) use named_value::NamedValue;
#[cfg(test)]
pub(crate) use parameter::grouped;
pub(crate) use parameter::json;
pub use parameter::{Parameter, ValueType};
pub use value::Value;
