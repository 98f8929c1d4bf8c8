//! Values that come by a name, as another language gives them, and what a name takes.

// May import from `error` and the layers above, in the order of `core/tests/layers`.

mod named_value;
mod parameter;
mod value;

pub(crate) use named_value::NamedValue;
pub use parameter::{Parameter, ValueType};
#[cfg(test)]
pub(crate) use parameter::{grouped, json};
pub use value::Value;
