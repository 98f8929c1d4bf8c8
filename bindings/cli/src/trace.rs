//! `--trace` shows the library's events as a conversation. The library has already masked the secrets.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::mem;
use std::sync::Mutex;

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::printable::printable;

/// From now on, shows requests and answers on stderr.
pub(crate) fn install() {
    let subscriber = tracing_subscriber::registry().with(Conversation::default());
    tracing::subscriber::set_global_default(subscriber).expect("it is installed once");
}

#[derive(Default)]
struct Conversation {
    /// The last stage that was named. Its name is not repeated.
    stage: Mutex<String>,
}

thread_local! {
    /// A body that arrived, kept until the event that says how long it took. Both events come on the same
    /// thread, even if several requests are under way.
    static RECEIVED: RefCell<String> = const { RefCell::new(String::new()) };
}

impl<S: Subscriber> Layer<S> for Conversation {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (target, level) = (event.metadata().target(), *event.metadata().level());
        // Events of INFO and above repeat what the command itself reports.
        let is_shown = match target.strip_prefix("prebind::") {
            Some("wire") => level >= Level::DEBUG,
            Some(_) => level == Level::DEBUG,
            None => false,
        };
        if !is_shown {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        match (fields.message.as_str(), fields.milliseconds) {
            ("sent", _) => self.show(&fields.stage, "→", &fields.body),
            ("received", _) => RECEIVED.set(fields.body),
            (_, Some(_)) => self.show(&fields.stage, "←", &fields.answer(&RECEIVED.take())),
            (_, None) => self.show(&fields.stage, "·", &fields.message),
        }
    }
}

impl Conversation {
    fn show(&self, stage: &str, arrow: &str, what: &str) {
        const STAGE: Style = Style::new().bold();
        const ARROW: Style = AnsiColor::Cyan.on_default();
        let mut named = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let label = if *named == stage { "" } else { stage };
        let what = printable(what);
        let line = format!("{STAGE}{label:<12}{STAGE:#}  {ARROW}{arrow}{ARROW:#}  {what}\n");
        stage.clone_into(&mut named);
        // The command goes on if nobody reads the trace any more.
        anstream::stderr().write_all(line.as_bytes()).unwrap_or_default();
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    stage: String,
    body: String,
    milliseconds: Option<f64>,
    status: Option<u64>,
    bytes: u64,
}

impl Fields {
    /// The outcome of a request: its answer, or why there is none.
    fn answer(&self, body: &str) -> String {
        let milliseconds = self.milliseconds.unwrap_or_default();
        match self.status {
            Some(status) => format!("{status}, {} bytes, {milliseconds:.1} ms  {body}", self.bytes),
            None => format!("{milliseconds:.1} ms  {}", self.message),
        }
    }

    fn text(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "message" => Some(&mut self.message),
            "stage" => Some(&mut self.stage),
            "body" => Some(&mut self.body),
            _ => None,
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "milliseconds" {
            self.milliseconds = Some(value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = Some(value),
            "bytes" => self.bytes = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(text) = self.text(field.name()) {
            drop(mem::take(text));
            write!(text, "{value:?}").unwrap_or_default();
        }
    }
}
