//! Values that another language passes by name, and the types that each name accepts.

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
