//! `prebind` for PHP. What PHP code sees is itself PHP, in `lib/`, and carried within. Here arguments
//! and results are converted, signals and time limits heeded; nothing is decided.

mod call;
mod native;
mod value;

use std::ffi::CStr;

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::php_eval::execute;
use ext_php_rs::prelude::*;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs, ModuleEntry};
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};

/// Settings of `php.ini`. What may hold a secret is none of them, as `phpinfo()` shows them all.
static SETTINGS: IniEntryDefs<7> = IniEntryDefs::new([
    setting(c"prebind.url"),
    setting(c"prebind.timeout"),
    setting(c"prebind.connect_timeout"),
    setting(c"prebind.floor"),
    setting(c"prebind.ip_family"),
    setting(c"prebind.lang"),
    IniEntryDef::end(),
]);

const fn setting(name: &'static CStr) -> IniEntryDef {
    IniEntryDef::new(name, c"", IniEntryPermission::All)
}

unsafe extern "C" {
    fn display_ini_entries(module: *mut ModuleEntry);
}

fn startup(_: i32, module: i32) -> i32 {
    IniEntryDef::register(SETTINGS.as_slice(), module);
    0
}

/// The least there can be: it is done for each request.
extern "C" fn request_startup(_: i32, _: i32) -> i32 {
    i32::from(execute(include_str!("../lib/start.php")).is_err())
}

/// Defines the classes, which is not done before one of them is needed.
#[php_function]
#[php(name = "Prebind\\Native\\load")]
fn load() -> PhpResult<()> {
    let code = [
        include_str!("../lib/exceptions.php"),
        include_str!("../lib/client.php"),
        include_str!("../lib/converse.php"),
    ];
    code.into_iter().try_for_each(execute).map_err(|error| error.to_string().into())
}

/// The page's script.
#[php_function]
#[php(name = "Prebind\\Native\\script")]
fn script() -> &'static str {
    include_str!("../lib/chat.js")
}

extern "C" fn info(module: *mut ModuleEntry) {
    info_table_start!();
    info_table_header!("prebind", "enabled");
    info_table_row!("Version", env!("CARGO_PKG_VERSION"));
    info_table_row!("TLS", "rustls, with the operating system's certificates");
    info_table_row!("Mechanisms for passwords", prebind::Floor::ALL.map(prebind::Floor::name).join(", "));
    info_table_end!();
    // SAFETY: the module that PHP asks about.
    unsafe { display_ini_entries(module) }
}

#[php_module]
#[php(startup = startup)]
#[expect(missing_docs, reason = "it is called by PHP alone")]
fn module(module: ModuleBuilder) -> ModuleBuilder {
    let module = module.name("prebind").info_function(info).request_startup_function(request_startup);
    native::register(module.function(wrap_function!(load)).function(wrap_function!(script)))
}
